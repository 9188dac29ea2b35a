"""Trains the network of marks (ocr/ctc/marks.go) on the letters that `go run ./ocr/lab/lines -marks` draws.

    go build -o draw ./ocr/lab/lines
    python3 ocr/lab/lines/marks.py -o ocr/ctc/marks.bin --minutes 60 --held judges.bin -- ./draw -marks FONT…

Letters of all marks are learned equally often, those that no name has, too. --held is a file of samples in fonts that are not learned:
`./draw -marks -n 15000 -seed 77 FONT… >judges.bin`. What is written is the mean of the weights over the last thousand steps or so, its
norms folded in; --base begins with an earlier marks.bin. Needs PyTorch (1.13 or later) and NumPy.
"""
import argparse
import copy
import math
import struct
import subprocess
import threading
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HEIGHT, WIDTH = 64, 48
WIDTHS = (12, 24, 48, 64)
WHOLE = 96
OWNS, TONES = 5, 6
SAMPLE = 2 + HEIGHT * WIDTH


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        chain = (1, *WIDTHS)
        self.convs = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(chain, chain[1:])]
                                   + [nn.Conv2d(WIDTHS[-1], WHOLE, (4, 3), bias=False)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(n) for n in (*WIDTHS, WHOLE)])
        self.drop = nn.Dropout(0.1)
        self.out = nn.Conv2d(WHOLE, OWNS + TONES, 1)

    def forward(self, x):
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            x = F.relu(norm(conv(x)))
            if i < len(WIDTHS):
                x = F.max_pool2d(x, 2)
        return self.out(self.drop(x)).flatten(1)


class Letters:
    """The letters drawn so far, by their marks; each kind's oldest give way."""

    def __init__(self, most):
        self.kinds = {}
        self.each, self.drawn = most // 16, 0  # a few kinds are most of all

    def follow(self, command):
        drawer = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20)
        while True:
            b = drawer.stdout.read(SAMPLE)
            if len(b) < SAMPLE:
                return
            rows = self.kinds.setdefault((b[0], b[1]), [])
            if len(rows) < self.each:
                rows.append(b)
            else:
                rows[np.random.randint(self.each)] = b
            self.drawn += 1

    def batch(self, size):
        kinds = list(self.kinds.values())
        weights = np.sqrt([len(k) for k in kinds])
        picks = np.random.choice(len(kinds), size, p=weights / weights.sum())
        rows = [kinds[k][np.random.randint(len(kinds[k]))] for k in picks]
        return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, SAMPLE)


def tensors(rows):
    x = torch.from_numpy(rows[:, 2:].reshape(-1, 1, HEIGHT, WIDTH).copy()).float() / 255
    return x.contiguous(memory_format=torch.channels_last), torch.from_numpy(rows[:, 0].astype(np.int64)), torch.from_numpy(rows[:, 1].astype(np.int64))


def soiled(x):
    """Letters a little off their place, larger or smaller, aslant, with other contrast and grain, a few blurred."""
    n = len(x)
    uniform = lambda a, b: torch.rand(n) * (b - a) + a
    turn = torch.zeros(n, 2, 3)
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 0, 2] = uniform(0.92, 1.08), uniform(-0.08, 0.08), uniform(-0.12, 0.12)
    turn[:, 1, 1], turn[:, 1, 2] = uniform(0.9, 1.1), uniform(-0.06, 0.06)
    x = F.grid_sample(x, F.affine_grid(turn, list(x.shape), align_corners=False), align_corners=False)
    each = lambda a, b: uniform(a, b).reshape(n, 1, 1, 1)
    x = x.clamp(0, 1) ** each(0.75, 1.3) * each(0.8, 1.08) + each(-0.05, 0.05)
    x = x + torch.randn_like(x) * each(-0.05, 0.06).clamp(min=0)
    if np.random.random() < 0.15:
        x = F.avg_pool2d(x, 3, 1, 1)
    return x.clamp(0, 1).contiguous(memory_format=torch.channels_last)


def judge(net, held):
    """Share of own marks, of tones and of letters told wrong, and the share of those surely told that are wrong."""
    net.eval()
    own = tone = wrong = sure = sure_wrong = 0
    with torch.no_grad():
        for at in range(0, len(held), 512):
            x, o, t = tensors(held[at:at + 512])
            y = net(x)
            po, pt = F.softmax(y[:, :OWNS], 1).max(1), F.softmax(y[:, OWNS:], 1).max(1)
            bad = (po.indices != o) | (pt.indices != t)
            clear = po.values * pt.values > 0.99
            own, tone, wrong = own + (po.indices != o).sum().item(), tone + (pt.indices != t).sum().item(), wrong + bad.sum().item()
            sure, sure_wrong = sure + clear.sum().item(), sure_wrong + (bad & clear).sum().item()
    net.train()
    return f"own marks {100 * own / len(held):.2f} %, tones {100 * tone / len(held):.2f} %, letters {100 * wrong / len(held):.2f} % wrong; " \
           f"at 0.99 or more {100 * sure / len(held):.1f} %, of these wrong {100 * sure_wrong / max(1, sure):.3f} %"


def settle(net, letters, count=100):
    """Takes the norms' means over many batches: what they follow while the network learns is that of the last few."""
    for n in net.norms:
        n.reset_running_stats()
        n.momentum = None
    net.train()
    with torch.no_grad():
        for _ in range(count):
            net(tensors(letters.batch(256))[0])


def begin_with(net, path, letters):
    """Takes the weights of a written network. Its norms are folded: they are unfolded by what the layers give on drawn letters."""
    with open(path, "rb") as f:
        flat = torch.from_numpy(np.frombuffer(f.read()[14:], "<f2").astype(np.float32))
    at = 0

    def take(like):
        nonlocal at
        at += like.numel()
        return flat[at - like.numel():at].reshape(like.shape).clone()

    biases = []
    for conv, norm in zip(net.convs, net.norms):
        conv.weight.data = take(conv.weight).contiguous(memory_format=torch.channels_last)
        biases.append(take(norm.bias))
    net.out.weight.data, net.out.bias.data = take(net.out.weight), take(net.out.bias)
    assert at == len(flat)
    batches = [tensors(letters.batch(256))[0] for _ in range(12)]
    net.eval()
    for norm, bias in zip(net.norms, biases):  # from the first layer on: each one's input must be right
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
        with torch.no_grad():
            for x in batches:
                net(x)
        norm.eval()
        norm.weight.data = torch.sqrt(norm.running_var + norm.eps)
        norm.bias.data = norm.running_mean + bias
        norm.momentum = 0.1
    net.train()


def write(net, path):
    net.eval()
    parts = []
    with torch.no_grad():
        for conv, norm in zip(net.convs, net.norms):
            k = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            parts += [conv.weight * k.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * k]
        parts += [net.out.weight, net.out.bias]
        flat = torch.cat([p.reshape(-1) for p in parts]).numpy().astype("<f2")
    with open(path, "wb") as f:
        f.write(struct.pack("<4s5H", b"mctm", *WIDTHS, WHOLE))
        f.write(flat.tobytes())
    net.train()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", required=True, help="where the weights go")
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--batch", type=int, default=192)
    p.add_argument("--held", help="a file of samples in fonts that are not trained with")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--first", type=int, default=8000, help="letters to wait for before learning")
    p.add_argument("--most", type=int, default=2_000_000, help="letters to keep")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--show", type=float, default=120, help="seconds between judgements")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--base", help="an earlier marks.bin to begin with")
    p.add_argument("draw", nargs="+", help="the drawer and its arguments")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    np.random.seed(a.seed)
    torch.set_num_threads(a.threads)
    letters = Letters(a.most)
    threading.Thread(target=letters.follow, args=([a.draw[0], "-seed", str(a.seed), *a.draw[1:]],), daemon=True).start()
    while letters.drawn < a.first:
        time.sleep(0.2)
    held = np.fromfile(a.held, np.uint8).reshape(-1, SAMPLE) if a.held else None
    net = Network().to(memory_format=torch.channels_last)
    if a.base:
        begin_with(net, a.base, letters)
        if a.held:
            print(f"the base: {judge(net, held)}", flush=True)
    mean = copy.deepcopy(net)
    opt = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=1e-3)
    begin = shown = time.time()
    steps = 0
    while time.time() - begin < a.minutes * 60:
        done = (time.time() - begin) / (a.minutes * 60)
        for g in opt.param_groups:
            g["lr"] = a.rate * min(1, (steps + 1) / 300) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1)))
        x, own, tone = tensors(letters.batch(a.batch))
        x = soiled(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):  # four times the speed where the processor has it
            y = net(x)
        y = y.float()
        loss = F.cross_entropy(y[:, :OWNS], own) + F.cross_entropy(y[:, OWNS:], tone)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        opt.step()
        steps += 1
        follow = min(0.999, steps / (9 + steps))
        with torch.no_grad():
            for m, n in zip(mean.parameters(), net.parameters()):
                m.lerp_(n, 1 - follow)
        if time.time() - shown > a.show:
            trial = copy.deepcopy(mean)
            settle(trial, letters)
            write(trial, a.o)
            print(f"{time.time() - begin:.0f} s, {steps} steps, {steps * a.batch} letters of {letters.drawn} drawn, loss {loss.item():.4f}"
                  + (f", held back: {judge(trial, held)}" if a.held else ""), flush=True)
            shown = time.time()
    settle(mean, letters, 400)
    write(mean, a.o)
    print(f"{steps} steps, {letters.drawn} letters drawn" + (f", held back: {judge(mean, held)}" if a.held else ""), flush=True)


if __name__ == "__main__":
    main()
