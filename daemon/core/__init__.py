"""From event to command: the one consumer of the event queue, and the one that carries commands out.

Its ports say what it needs of the world; adapters fill them in, and nothing here knows an adapter.
"""
