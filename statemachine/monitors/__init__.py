"""What is watched while a picture plays: whether it moves, its bitrate, its sound, OBS itself and what viewers get.

A monitor judges and reports; what is shown is changed by the hand-over alone.
"""
