"""Where sd-scripts has its LoRA; ours is in train_network.py."""
