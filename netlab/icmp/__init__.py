"""ICMP echo: a pinger that knows the fate of every request (protocols.md §4, RFC 792, RFC 4443)."""
