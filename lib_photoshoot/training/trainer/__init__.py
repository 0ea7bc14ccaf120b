"""kohya's sd-scripts: installed in an environment of its own, told what to do, and understood when it speaks."""
