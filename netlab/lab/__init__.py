"""The lab bench: experiments that set themselves up, are captured, checked and written up."""
