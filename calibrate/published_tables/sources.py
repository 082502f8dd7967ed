"""Who measured the latencies, under which licence they are passed on, and how they were timed."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    name: str  # first part of its files' names: <source>__<gpu>__<family>.csv
    repository: str
    licence: str
    copyright: str  # empty where none is stated
    timed: str  # how, for readers of results/README.md
    host_timed: bool = False  # what the host needs for a launch is inside each time
    remark: str = ""  # what a table says of itself beside that

    @property
    def terms(self) -> str:
        return ", ".join(filter(None, (self.licence, self.copyright)))


AIC = Source(
    "aic", "https://github.com/ai-dynamo/aiconfigurator @ 095f58a (2026-08-21)", "Apache-2.0",
    "(c) NVIDIA",
    "CUDA graphs, mean of 6 replays (attention in SGLang: 20) after 3 warm-ups, clocks locked to "
    "the maximum. A replay chains a few layers with weights of their own, so that small weights "
    "stay in L2. fp8 products quantise their input inside the timed region. Collectives: "
    "nccl-tests out of place in fp16, and each framework's own all-reduce. Frameworks: A100 "
    "TensorRT-LLM 1.0.0, vLLM 0.14.0, SGLang 0.5.10; others TensorRT-LLM 1.3.0rc20, vLLM 0.24.0, "
    "SGLang 0.5.14.")
NEUSIGHT = Source(
    "neusight", "https://github.com/sitar-lab/NeuSight @ 6945927 (2025-06-23)", "MIT",
    "(c) 2025 Georgia Institute of Technology and Microsoft Corporation",
    "fp32 without TF32, PyTorch 2.1 with CUDA 12.1, mean of the 5 fastest of 25 single launches "
    "between CUDA events: 25 to 60 us of launch cost is inside, and L2 is likely warm.",
    host_timed=True)
VIDUR = Source(
    "vidur", "https://github.com/microsoft/vidur @ 7d47513 (2024-11-19)", "MIT", "(c) Microsoft",
    "fp16 layers of Sarathi/vLLM, CUDA kernel time of the profiler, median of 20 passes, rounded "
    "to 1 us by the source. It names the GPUs A100-80GB and H100-80GB without their form factor; "
    "their rates are those of SXM boards.")
ANCHOVY = Source(
    "anchovy",
    "https://github.com/AnchovyPark/LLM_Inference_latency @ e3438c2 (2025-08-31), "
    "https://github.com/AnchovyPark/delay_factor @ 9a914b3 (2025-10-13)",
    "No licence stated: times quoted as facts", "",
    "The first generation of delay factors. fp16 in eager PyTorch, 5 runs after 3 warm-ups, timed "
    "on the host: 20 to 60 us of launch cost are inside each time, several times that where an "
    "operator is several kernels (rmsnorm, attention block, SwiGLU). Neither repository has a "
    "licence file; only times are quoted, no file and no code.",
    host_timed=True,
    remark="Published delay factors stood against wrong peaks: L40S 183 instead of 362 dense FP16 "
    "TFLOPS, A10G 125 instead of 70, A100-80GB with the bandwidth of the 40 GB board, L4 with an "
    "L40's specification (its times are an L4's). Here the times stand against the datasheets. "
    "Factors below 1 are data that a cache held: labelled l2.")
SOURCES = (AIC, NEUSIGHT, VIDUR, ANCHOVY)

# Both MIT sources have these words below their line of copyright.
MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
