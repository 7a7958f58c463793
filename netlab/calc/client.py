"""The calculator's client, for programs: ask over one connection, or have a list answered over as many as it takes.

`connect` gives a `Connection`; its `Connection.calculate` can be called again before the answer is there, and answers
come in the order of the calls. `calculate_all` also gets along with servers that answer one request a connection.
"""

#: Seconds to wait for a connection, and for an answer while one is owed.
TIMEOUT = 10.0
