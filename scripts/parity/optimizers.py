"""What torch.optim makes of one parameter over three steps: the numbers in src/train/optimizer.rs.

python scripts/parity/optimizers.py prints them as the Rust tests hold them. Needs torch==2.9.1.
"""
import torch

START = [1.0, -2.0, 0.5]
GRADIENTS = [[0.5, -1.0, 2.0], [-0.25, 0.0, 1.0], [3.0, 0.1, -0.7]]
for name, make in [
    ("adamw", lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.2)),
    ("adam", lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.2, betas=(0.8, 0.95), eps=1e-3)),
    ("sgd", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.2)),
    ("nesterov", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
]:
    parameter = torch.nn.Parameter(torch.tensor(START))
    optimizer = make([parameter])
    for gradient in GRADIENTS:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    print(name, [round(value, 7) for value in parameter.tolist()])
