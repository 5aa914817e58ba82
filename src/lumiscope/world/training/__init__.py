"""How the world's networks are made: pictures, texts, augmentation and the loops that fit."""
