// Keeps the page true over the socket.
