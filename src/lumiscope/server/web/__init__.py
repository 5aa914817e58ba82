"""The evaluation server as a web application: an API, the course's `POST /lime`, and pages."""

from lumiscope.server.web.app import make_app

__all__ = ["make_app"]
