"""The site as uvicorn serves it, with the session looked at every second rather than every half minute."""

from config import asgi
from notifications import consumers

consumers.SESSION_CHECK = 1.0
application = asgi.application
