"""What the user can do, a class for each area, made by the Session with the Store and the other areas it uses.

An area reads `store.state`, and replaces fields of it with `store.publish(...)`. Adding one is a file here, and a
line in `Session.__init__`, below those that it is given.
"""
