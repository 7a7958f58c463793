"""The caching proxy before calculators: a server to its clients, a client to its upstreams, a TTL cache between."""
