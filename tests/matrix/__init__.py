"""Every studio that people own: the tests on the OBS, the GStreamer and the Python of other Debian releases.

``python -m tests.matrix`` (`make matrix`) makes a root of each and runs what has to pass there.
"""
