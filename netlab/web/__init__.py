"""The HTTP file server (protocols.md §3): what to answer as pure rules, and a daemon that sends files with sendfile."""
