"""What the methods share that explain by regions: segments, hiding, designs, surrogate models."""
