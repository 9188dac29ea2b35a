"""Trains the network of ocr/ctc on the lines that `go run ./ocr/ctc/train` draws, read from standard input.

    go run ./ocr/ctc/train FONT... | python3 ocr/ctc/train/train.py -o ocr/ctc/network.bin --minutes 90

Needs Debian's python3-torch and python3-numpy, and no accelerator. The rate of learning follows the time that is
left, so that a run of any length ends with a settled network. Batch norms are folded into the weights that are
written; network.go says in what order they stand.
"""
import argparse
import math
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HEIGHT = 40
WIDTHS = (12, 24, 48, 80, 144)
DILATIONS = (1, 2, 1, 2)


def norm2(n):
    return nn.BatchNorm2d(n)


class Block(nn.Module):
    """A step along the line: each channel over seven places, then the channels among each other."""

    def __init__(self, n, dilation):
        super().__init__()
        self.deep = nn.Conv1d(n, n, 7, padding=3 * dilation, dilation=dilation, groups=n, bias=False)
        self.deep_norm = nn.BatchNorm1d(n)
        self.point = nn.Conv1d(n, n, 1, bias=False)
        self.point_norm = nn.BatchNorm1d(n)

    def forward(self, x):
        y = F.relu(self.deep_norm(self.deep(x)))
        return F.relu(x + self.point_norm(self.point(y)))


class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        a, b, c, d, e = WIDTHS
        self.convs = nn.ModuleList([
            nn.Conv2d(1, a, 3, padding=1, bias=False), nn.Conv2d(a, b, 3, padding=1, bias=False),
            nn.Conv2d(b, c, 3, padding=1, bias=False), nn.Conv2d(c, d, 3, padding=1, bias=False),
            nn.Conv2d(d, e, (5, 3), padding=(0, 1), bias=False)])
        self.norms = nn.ModuleList([norm2(n) for n in WIDTHS])
        self.pools = [(2, 2), (2, 2), (2, 1), None, None]
        self.blocks = nn.ModuleList([Block(e, k) for k in DILATIONS])
        self.drop = nn.Dropout(0.05)
        self.out = nn.Conv1d(e, classes, 1)

    def forward(self, x):
        for conv, norm, pool in zip(self.convs, self.norms, self.pools):
            x = F.relu(norm(conv(x)))
            if pool:
                x = F.max_pool2d(x, pool)
        x = x.squeeze(2)
        for b in self.blocks:
            x = b(x)
        return self.out(self.drop(x))


def samples(stream):
    while True:
        head = stream.read(4)
        if len(head) < 4:
            return
        w, n = struct.unpack("<HH", head)
        letters = np.frombuffer(stream.read(n), np.uint8)
        pix = np.frombuffer(stream.read(w * HEIGHT), np.uint8).reshape(HEIGHT, w)
        yield pix, letters


# Lines are filled up to one of these widths and learned with others of it: the convolutions are compiled anew for
# every shape, which takes longer than to run them. Wider ones give gradients that are not finite with oneDNN 2.6 in
# bfloat16; main.go draws none, and what is learned on short lines holds for long ones.
ROOMS = (96, 160, 224, 320)


def batches(stream, size):
    """Lines of like width together; a batch of wide lines holds fewer."""
    waiting = {w: [] for w in ROOMS}
    for pix, letters in samples(stream):
        room = next((w for w in ROOMS if w >= pix.shape[1]), None)
        if room is None:
            continue
        waiting[room].append((pix, letters))
        if len(waiting[room]) == max(4, size * 300 // room):
            yield waiting[room], room
            waiting[room] = []


def tensors(batch, w):
    x = np.zeros((len(batch), 1, HEIGHT, w), np.float32)
    for i, (pix, _) in enumerate(batch):
        x[i, 0, :, :pix.shape[1]] = pix / 255.0
    frames = torch.tensor([s[0].shape[1] // 4 for s in batch])
    letters = torch.tensor(np.concatenate([s[1] for s in batch]).astype(np.int64))
    counts = torch.tensor([len(s[1]) for s in batch])
    return torch.from_numpy(x), frames, letters, counts


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        diag, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            diag, row[j + 1] = row[j + 1], min(diag + (x != y), row[j] + 1, row[j + 1] + 1)
    return row[-1]


def judge(net, held):
    """Share of letters and of lines read wrong."""
    net.eval()
    off = total = bad = 0
    with torch.no_grad():
        for pix, letters in held:
            x, frames, _, _ = tensors([(pix, letters)], next(w for w in ROOMS if w >= pix.shape[1]))
            best = net(x)[0].argmax(0).tolist()[:frames[0]]  # nothing is said of what lies beyond the line
            read = [c for i, c in enumerate(best) if c and (i == 0 or best[i - 1] != c)]
            e = edits(read, letters.tolist())
            off, total, bad = off + e, total + len(letters), bad + (e > 0)
    net.train()
    return off / total, bad / len(held)


def settle(net, stream, size, count=300):
    """Takes the norms' means over many batches: what they follow while the network learns is that of the last few."""
    norms = [m for m in net.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for n in norms:
        n.reset_running_stats()
        n.momentum = None
    net.train()
    with torch.no_grad():
        for i, (batch, room) in enumerate(batches(stream, size)):
            if i == count:
                break
            net(tensors(batch, room)[0])


def folded(conv, norm):
    k = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    w = conv.weight * k.reshape(-1, *[1] * (conv.weight.dim() - 1))
    return w, norm.bias - norm.running_mean * k


def write(net, classes, path):
    net.eval()
    parts = []
    with torch.no_grad():
        for conv, norm in zip(net.convs, net.norms):
            parts += folded(conv, norm)
        for b in net.blocks:
            parts += folded(b.deep, b.deep_norm)
            parts += folded(b.point, b.point_norm)
        parts += [net.out.weight, net.out.bias]
        flat = torch.cat([p.reshape(-1) for p in parts]).numpy().astype("<f2")
    with open(path, "wb") as f:
        f.write(struct.pack("<4sHHHHHHHH", b"mctc", HEIGHT, *WIDTHS, len(DILATIONS), classes))
        f.write(struct.pack(f"<{len(DILATIONS)}H", *DILATIONS))
        f.write(flat.tobytes())
    net.train()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-o", required=True, help="where the weights go")
    p.add_argument("--minutes", type=float, default=90)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--classes", type=int, default=223, help="signs and the blank")
    p.add_argument("--held", help="a file of samples in fonts that are not trained with")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--keep", help="where to keep and find the state of an earlier run")
    p.add_argument("--rate", type=float, default=2e-3)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    np.random.seed(1)
    net = Network(a.classes)
    if a.keep:
        try:
            net.load_state_dict(torch.load(a.keep))
            print("going on from", a.keep)
        except FileNotFoundError:
            pass
    held = []
    if a.held:
        with open(a.held, "rb") as f:
            held = [s for s in samples(f) if s[0].shape[1] <= ROOMS[-1]][:600]
    opt = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=1e-3)
    begin, shown, seen, steps, skipped, total = time.time(), time.time(), 0, 0, 0, 0.0
    for batch, room in batches(sys.stdin.buffer, a.batch):
        if time.time() - begin >= a.minutes * 60:
            break
        done = (time.time() - begin) / (a.minutes * 60)
        rate = a.rate * min(1, (steps + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done))
        for g in opt.param_groups:
            g["lr"] = rate
        x, frames, letters, counts = tensors(batch, room)
        with torch.autocast("cpu", dtype=torch.bfloat16):  # twice the speed where the processor has it
            y = net(x)
        scores = F.log_softmax(y.float().permute(2, 0, 1), 2)
        loss = F.ctc_loss(scores, letters, frames, counts, zero_infinity=True)
        opt.zero_grad()
        loss.backward()
        if not torch.isfinite(nn.utils.clip_grad_norm_(net.parameters(), 5)):
            skipped += 1  # a fault of one batch must not spoil what was learned
            continue
        opt.step()
        steps, seen, total = steps + 1, seen + len(batch), 0.99 * total + 0.01 * loss.item()
        if time.time() - shown > 120:
            shown = time.time()
            cer, lines = judge(net, held) if held else (0, 0)
            print(f"{(time.time() - begin) / 60:.0f} min, {seen} lines, {skipped} batches skipped, loss {total:.4f}, held back: "
                  f"{100 * cer:.2f} % of letters and {100 * lines:.1f} % of lines wrong", flush=True)
            write(net, a.classes, a.o)
            if a.keep:
                torch.save(net.state_dict(), a.keep)
    if a.keep:
        torch.save(net.state_dict(), a.keep)
    settle(net, sys.stdin.buffer, a.batch)
    write(net, a.classes, a.o)
    if held:
        cer, lines = judge(net, held)
        print(f"at the end, {seen} lines: {100 * cer:.2f} % of letters and {100 * lines:.1f} % of lines wrong")


if __name__ == "__main__":
    main()
