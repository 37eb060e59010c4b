"""NVIDIA's GR00T as a policy to serve: its weights and its processor, and a faster way through them.

Rooms of this folder, from what is asked to what is computed:

* ``policy``: ``Gr00tModel``, the policy, and how it settles on a tier.
* ``loading``: NVIDIA's ``Gr00tPolicy`` loaded, or the line that mends why not; who the checkpoint is.
* ``stock``: NVIDIA's own forward, with the noise put in, and in fp32 as the reference.
* ``random_checkpoint``: a checkpoint to measure where there is none.
* ``releases``: in what N1.6 and N1.7 differ for the tiers.
* ``inputs``, ``pictures``: what NVIDIA's processor does to one row, for all rows at once.
* ``forward``, ``backbone``, ``token_mixing``, ``action_head``, ``layers``: our own forward, replayed as CUDA graphs.
* ``noise``: the noise of a row, from the episode's seed and the request's number alone.
* ``checks``, ``fallback``: that a tier answers as NVIDIA's own code does, before it serves.

It is for GR00T's own environment: torch is imported by its modules, and by none outside.
"""
