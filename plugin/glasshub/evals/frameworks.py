"""Known values of ``evaluation_framework``.

The first group is the closed list that the public hub keeps (huggingface.js, ``packages/tasks/src/eval.ts``,
August 2026); the second are harnesses that hubs of one's own use. Others are accepted with a warning.
"""

from __future__ import annotations

INSPECT = "inspect-ai"
KNOWN = frozenset(
    {
        "exgentic", "inspect-ai", "math-arena", "mteb", "olmocr-bench", "harbor", "ifstruct", "pier", "redline-bench",
        "archipelago", "benchflow", "apex-evals", "screenspot-pro", "swe-bench", "swe-bench-pro", "nemo-evaluator",
        "yc-bench", "open-asr-leaderboard", "mdpbench", "real5-omnidocbench", "parsebench", "video-mme-v2",
        "claw-eval", "researchclawbench", "pbench", "wildclawbench", "wbench", "nanofold", "mmmu", "extractbench",
    }
    | {"lm-evaluation-harness", "lighteval", "helm", "custom"}
)  # fmt: skip
