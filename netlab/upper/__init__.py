"""The TCP laboratory: servers that answer in upper case, and clients that end badly (protocols.md §2).

What they ask of the kernel is the point, call by call, so both sides are written down as system calls.
"""
