"""Trains the network of ocr/ctc on the lines that `go run ./ocr/lab/lines` draws.

    go build -o draw ./ocr/lab/lines
    python3 ocr/lab/lines/train.py -o ocr/ctc/network.bin --feeds 14 --minutes 8 -- ./draw FONT...

Starts the drawer so many times, each with another seed, keeps what it draws in the memory of the device and learns each line
several times, each time warped and soiled anew. The rate of learning follows the time that is left, so that a run of any
length ends with a settled network; what is written is the mean of the weights over the last thousand steps or so. Batch
norms are folded into the weights; network.go says in what order they stand. --base begins with an earlier network.bin.
Needs PyTorch (1.13 or later) and NumPy; --device cuda for a GPU.
"""
import argparse
import copy
import math
import random
import struct
import subprocess
import threading
import time

import numpy as np
import torch
from torch import multiprocessing, nn
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


# Lines are filled up to one of these widths and learned with others of it.
ROOMS = (96, 160, 224, 320, 480, 720, 1120)
MOST_LETTERS = 160


def fits(size, room):
    """How many lines of a room a batch holds: as many pixels as so many lines of 320."""
    return max(8, size * 320 // room)


def samples(stream):
    while True:
        head = stream.read(4)
        if len(head) < 4:
            return
        w, n = struct.unpack("<HH", head)
        letters = np.frombuffer(stream.read(n), np.uint8)
        pix = np.frombuffer(stream.read(w * HEIGHT), np.uint8)
        if len(pix) < w * HEIGHT:
            return
        if w <= ROOMS[-1] and n <= MOST_LETTERS:
            yield pix.reshape(HEIGHT, w), letters


def packed(lines, room):
    """Lines as one array of pixels, their widths, their letters filled up, and how many these are."""
    pix = np.zeros((len(lines), HEIGHT, room), np.uint8)
    letters = np.zeros((len(lines), MOST_LETTERS), np.uint8)
    for i, (p, l) in enumerate(lines):
        pix[i, :, :p.shape[1]] = p
        letters[i, :len(l)] = l
    widths, counts = [p.shape[1] for p, _ in lines], [len(l) for _, l in lines]
    return room, torch.from_numpy(pix), torch.tensor(widths, dtype=torch.int32), torch.from_numpy(letters), torch.tensor(counts, dtype=torch.int32)


def feed(command, size, out):
    """Reads what one drawer draws, in batches of lines of like width."""
    drawer = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20)
    waiting = {w: [] for w in ROOMS}
    for pix, letters in samples(drawer.stdout):
        room = next(w for w in ROOMS if w >= pix.shape[1])
        waiting[room].append((pix, letters))
        if len(waiting[room]) == fits(size, room):
            out.put(packed(waiting[room], room))
            waiting[room] = []


class Pool:
    """The lines drawn so far, on the device."""

    def __init__(self, device, most):
        self.rooms = {w: [] for w in ROOMS}
        self.device, self.most, self.bytes, self.lines = device, most, 0, 0

    def add(self, chunk):
        room, pix, widths, letters, counts = chunk
        held = self.rooms[room]
        tensors = tuple(t.to(self.device, copy=True) for t in (pix, widths, letters, counts))
        if self.bytes + pix.numel() > self.most:
            if held:
                held[random.randrange(len(held))] = tensors
        else:
            held.append(tensors)
            self.bytes += pix.numel()
        self.lines += len(pix)

    def follow(self, chunks):
        """Adds without end: run it beside."""
        while True:
            self.add(chunks.get())

    def batch(self):
        """Half of one batch and half of another of the same room, newer ones more often."""
        rooms = [w for w in ROOMS if self.rooms[w]]
        room = random.choices(rooms, [len(self.rooms[w]) for w in rooms])[0]
        held = self.rooms[room]
        first, second = held[random.randrange(len(held))], held[-1 - int(len(held) * random.random() ** 2)]
        n = len(first[0])
        at = torch.randperm(2 * n, device=self.device)[:n]
        return [torch.cat(pair)[at] for pair in zip(first, second)]


def warped(x, widths):
    """Lines a little wider or narrower, higher or lower, aslant; and how wide they then are."""
    n, w = len(x), x.shape[3]
    uniform = lambda a, b: torch.rand(n, device=x.device) * (b - a) + a
    wide = torch.minimum(uniform(0.92, 1.08), w / widths)
    high, up, slant = uniform(0.93, 1.05), uniform(-0.06, 0.06), uniform(-0.08, 0.08) * HEIGHT / w
    turn = torch.zeros(n, 2, 3, device=x.device)
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 0, 2] = 1 / wide, slant, 1 / wide - 1
    turn[:, 1, 1], turn[:, 1, 2] = 1 / high, up
    grid = F.affine_grid(turn, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False), (widths * wide).clamp(max=w)


def soiled(x):
    """Lines with other contrast and grain, a few blurred, a few with a part wiped out."""
    n = len(x)
    uniform = lambda a, b: torch.rand(n, 1, 1, 1, device=x.device) * (b - a) + a
    x = x.clamp(0, 1) ** uniform(0.75, 1.3) * uniform(0.8, 1.08) + uniform(-0.05, 0.05)
    x = x + torch.randn_like(x) * (uniform(-0.06, 0.07).clamp(min=0))
    if random.random() < 0.15:
        x = F.avg_pool2d(x, 3, 1, 1)
    return x.clamp(0, 1)


def tensors(batch, augment):
    pix, widths, letters, counts = batch
    x = pix.unsqueeze(1).float() / 255
    if augment:
        x, widths = warped(x, widths)
        x = soiled(x)
    frames = torch.maximum((widths / 4).long(), torch.ones_like(counts).long())
    return x.contiguous(memory_format=torch.channels_last), frames, letters.long(), counts.long()


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        diag, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            diag, row[j + 1] = row[j + 1], min(diag + (x != y), row[j] + 1, row[j + 1] + 1)
    return row[-1]


def judge(net, held, device):
    """Share of letters and of lines read wrong."""
    net.eval()
    off = total = bad = lines = 0
    with torch.no_grad():
        for chunk in held:
            batch = [t.to(device) for t in chunk[1:]]
            x, frames, letters, counts = tensors(batch, False)
            best = net(x).argmax(1).cpu().tolist()
            for row, f, l, c in zip(best, frames.tolist(), letters.tolist(), counts.tolist()):
                row = row[:f]  # nothing is said of what lies beyond the line
                read = [c for i, c in enumerate(row) if c and (i == 0 or row[i - 1] != c)]
                e = edits(read, l[:c])
                off, total, bad, lines = off + e, total + c, bad + (e > 0), lines + 1
    net.train()
    return off / total, bad / lines


def settle(net, pool, count=300):
    """Takes the norms' means over many batches: what they follow while the network learns is that of the last few."""
    for n in net.modules():
        if isinstance(n, (nn.BatchNorm1d, nn.BatchNorm2d)):
            n.reset_running_stats()
            n.momentum = None
    net.train()
    with torch.no_grad():
        for _ in range(count):
            net(tensors(pool.batch(), False)[0])


def begin_with(net, path, pool):
    """Takes the weights of a written network. Its norms are folded: they are unfolded by what the layers give on drawn lines."""
    with open(path, "rb") as f:
        data = f.read()
    flat = torch.from_numpy(np.frombuffer(data[20 + 2 * len(DILATIONS):], "<f2").astype(np.float32)).to(pool.device)
    at = 0

    def take(like):
        nonlocal at
        at += like.numel()
        return flat[at - like.numel():at].reshape(like.shape)

    pairs = [*zip(net.convs, net.norms)]
    for b in net.blocks:
        pairs += [(b.deep, b.deep_norm), (b.point, b.point_norm)]
    biases, scales = [], []
    for conv, norm in pairs:
        w, bias = take(conv.weight), take(norm.bias)
        k = w.flatten(1).norm(dim=1).clamp(min=1e-6) / 0.577  # the norm that a layer begins with
        conv.weight.data = w / k.reshape(-1, *[1] * (w.dim() - 1))
        biases.append(bias)
        scales.append(k)
    net.out.weight.data, net.out.bias.data = take(net.out.weight).clone(), take(net.out.bias).clone()
    assert at == len(flat)
    batches = [tensors(pool.batch(), False)[0] for _ in range(24)]
    for (_, norm), bias, k in zip(pairs, biases, scales):  # from the first layer on: each one's input must be right
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
        with torch.no_grad():
            for x in batches:
                net(x)
        norm.eval()
        norm.weight.data = k * torch.sqrt(norm.running_var + norm.eps)
        norm.bias.data = k * norm.running_mean + bias
    for _, norm in pairs:
        norm.momentum = 0.1


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
        flat = torch.cat([p.reshape(-1) for p in parts]).cpu().numpy().astype("<f2")
    with open(path, "wb") as f:
        f.write(struct.pack("<4sHHHHHHHH", b"mctc", HEIGHT, *WIDTHS, len(DILATIONS), classes))
        f.write(struct.pack(f"<{len(DILATIONS)}H", *DILATIONS))
        f.write(flat.tobytes())
    net.train()


def learn(net, mean, pool, held, a):
    """Learns until the time is over. mean follows the weights slowly."""
    opt = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=1e-3)
    kind = torch.device(a.device).type
    begin, shown, seen, steps, total = time.time(), time.time(), 0, 0, 0.0
    while time.time() - begin < a.minutes * 60:
        done = (time.time() - begin) / (a.minutes * 60)
        for g in opt.param_groups:
            g["lr"] = a.rate * min(1, (steps + 1) / 500) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1)))
        x, frames, letters, counts = tensors(pool.batch(), True)
        with torch.autocast(kind, dtype=torch.bfloat16):  # twice the speed where the processor has it
            y = net(x)
        scores = F.log_softmax(y.float().permute(2, 0, 1), 2)
        loss = F.ctc_loss(scores, letters, frames, counts, zero_infinity=True)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), 5)
        if kind == "cpu" and not torch.isfinite(norm):
            continue  # a fault of one batch must not spoil what was learned
        opt.step()
        follow = min(0.999, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for m, n in zip(mean.parameters(), net.parameters()):
                m.lerp_(n, 1 - follow)
        steps, seen = steps + 1, seen + len(x)
        if steps % 20 == 0:
            total = loss.item() if steps == 20 else 0.9 * total + 0.1 * loss.item()
        if time.time() - shown > a.show:
            shown = time.time()
            trial = copy.deepcopy(mean)
            settle(trial, pool, 60)
            cer, lines = judge(trial, held, a.device) if held else (0, 0)
            print(f"{time.time() - begin:.0f} s, {steps} steps, {seen} lines of {pool.lines} drawn, {pool.bytes >> 20} MiB, loss {total:.4f}, held back: "
                  f"{100 * cer:.3f} % of letters and {100 * lines:.2f} % of lines wrong, judged in {time.time() - shown:.1f} s", flush=True)
            write(trial, a.classes, a.o)
            shown = time.time()
    print(f"{steps} steps, {seen} lines of {pool.lines} drawn", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", required=True, help="where the weights go")
    p.add_argument("--minutes", type=float, default=90)
    p.add_argument("--batch", type=int, default=32, help="lines of 320 pixels")
    p.add_argument("--classes", type=int, default=223, help="signs and the blank")
    p.add_argument("--held", help="a file of samples in fonts that are not trained with")
    p.add_argument("--device", default="cpu")
    p.add_argument("--feeds", type=int, default=1, help="how many drawers")
    p.add_argument("--seed", type=int, default=1, help="of the first drawer")
    p.add_argument("--first", type=int, default=8, help="batches to wait for before learning")
    p.add_argument("--most", type=int, default=80, help="GiB of lines to keep")
    p.add_argument("--base", help="an earlier network.bin to begin with")
    p.add_argument("--show", type=float, default=60, help="seconds between judgements")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("draw", nargs="+", help="the drawer and its arguments")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    random.seed(a.seed)
    multiprocessing.set_sharing_strategy("file_system")
    chunks = multiprocessing.Queue(64)
    feeds = [multiprocessing.Process(target=feed, args=([a.draw[0], "-seed", str(a.seed + i), *a.draw[1:]], a.batch, chunks), daemon=True)
             for i in range(a.feeds)]
    for f in feeds:
        f.start()
    if a.device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    net = Network(a.classes).to(a.device).to(memory_format=torch.channels_last)
    held = []
    if a.held:
        by_room = {w: [] for w in ROOMS}
        with open(a.held, "rb") as f:
            for s in samples(f):
                by_room[next(w for w in ROOMS if w >= s[0].shape[1])].append(s)
        held = [packed(lines[i:i + 200], w) for w, lines in by_room.items() for i in range(0, len(lines), 200)]
    pool = Pool(a.device, a.most << 30)
    for _ in range(a.first):
        pool.add(chunks.get())
    if a.base:
        begin_with(net, a.base, pool)
        if held:
            cer, lines = judge(net, held, a.device)
            print(f"the base: {100 * cer:.3f} % of letters and {100 * lines:.2f} % of lines wrong", flush=True)
    threading.Thread(target=pool.follow, args=(chunks,), daemon=True).start()
    net.train()
    mean = copy.deepcopy(net)
    learn(net, mean, pool, held, a)
    settle(mean, pool)
    write(mean, a.classes, a.o)
    if held:
        cer, lines = judge(mean, held, a.device)
        print(f"at the end: {100 * cer:.3f} % of letters and {100 * lines:.2f} % of lines wrong")
    for f in feeds:
        f.kill()


if __name__ == "__main__":
    main()
