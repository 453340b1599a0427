"""The shapes of the control API's answers and requests, as types.

Answers hold what is named at least: a client must bear that more is added. All that is named is there, and null where
it is not known or there is none.
"""
