"""What people are to be told of that no single event says: what lasts, what is about to happen, and what is over.

These rules look at what is known, again and again, and judge; they command nothing. The words are the shell's.
"""
