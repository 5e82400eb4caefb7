"""What the user can do, a class for each area; a Session makes one of each and gives itself to it.

An area reads `session.state`, replaces fields of it with `session.publish(...)`, and calls other areas through
the session. Adding one is a file here, and a line in `Session.__init__`.
"""
