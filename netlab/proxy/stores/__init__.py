"""Where answers are kept: in memory, in a file, or in Redis for many proxies together."""
