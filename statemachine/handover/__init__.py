"""One hand-over at a time: the table of what is legal, the attempt under way, and what the program shows.

Which step comes next is planned elsewhere; what a step came to is told to whoever asked for it.
"""
