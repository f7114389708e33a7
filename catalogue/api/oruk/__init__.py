"""The open catalogue over HTTP: for anybody, without a sign-in, from any page of the web."""
