"""What the world shows: one function for each object and backdrop, registered in the order of their numbers."""

from lumiscope.world.renderer.drawings import animals, outdoors, places, plants, things

__all__ = ["animals", "outdoors", "places", "plants", "things"]
