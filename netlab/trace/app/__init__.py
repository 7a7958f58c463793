"""What programs said in TCP conversations and echoes: bytes of streams in, messages and exchanges out."""
