"""From your PyTorch model and back in ten lines. Prints how far the compiled network is from the Sinkhorn network."""

import torch
import asap.torch

model = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 2)
data = torch.randn(256, 32, 64)
asap.torch.replace(model, asap.torch.SinkhornAttention(iterations=10))  # train or tune it, then:
captured = asap.torch.capture(model.eval(), None, data[:192].split(32))
operator = asap.torch.compile(captured)
operator.save("operator")  # also for asap-eval, C and NumPy
with torch.no_grad():
    exact = model(data[192:])
    compiled = asap.torch.replace(model, operator)(data[192:])
print("relative error", ((compiled - exact).norm() / exact.norm()).item())
