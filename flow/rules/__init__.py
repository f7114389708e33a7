"""Process rules: what is done when nobody moves. A person writes and switches them on; no rule says yes or no for anybody."""
