"""Cache geometry from a record that describes a model, wherever it comes from (catalogue, config, log).

The protocols name the fields that are read, so that this package needs to import no other.
"""

from __future__ import annotations

from typing import Protocol

from .kv import AttentionLayers, KvGeometry, RecurrentLayers, mla_layers


class HasAttention(Protocol):
    """Shape of a group of attention layers."""

    @property
    def layers(self) -> int: ...
    @property
    def kv_heads(self) -> int: ...
    @property
    def head_dim_k(self) -> int: ...
    @property
    def head_dim_v(self) -> int: ...
    @property
    def window_tokens(self) -> int | None: ...


class HasLatentAttention(Protocol):
    """Shape of MLA layers."""

    @property
    def layers(self) -> int: ...
    @property
    def kv_lora_rank(self) -> int: ...
    @property
    def rope_dim(self) -> int: ...


class HasRecurrent(Protocol):
    """Shape of recurrent layers; None where it is not known."""

    @property
    def layers(self) -> int: ...
    @property
    def d_conv(self) -> int | None: ...
    @property
    def d_inner(self) -> int | None: ...
    @property
    def d_state(self) -> int | None: ...
    @property
    def n_group(self) -> int | None: ...


class HasGeometry(Protocol):
    """A model: full and windowed attention, or latent attention, and recurrent layers."""

    @property
    def attention(self) -> HasAttention | None: ...
    @property
    def latent_attention(self) -> HasLatentAttention | None: ...
    @property
    def window_attention(self) -> HasAttention | None: ...
    @property
    def recurrent(self) -> HasRecurrent | None: ...


def geometry_of(model: HasGeometry) -> KvGeometry:
    """The geometry of `model`. Recurrent layers of unknown size are left out and named by `recurrent_known=False`."""
    groups = [_attention(each) for each in (model.attention, model.window_attention) if each is not None]
    if model.latent_attention is not None:
        latent = model.latent_attention
        groups.append(mla_layers(latent.layers, latent.kv_lora_rank, latent.rope_dim))
    recurrent = None if model.recurrent is None else _recurrent(model.recurrent)
    known = model.recurrent is None or recurrent is not None
    return KvGeometry(tuple(groups), recurrent, recurrent_known=known)


def _attention(group: HasAttention) -> AttentionLayers:
    return AttentionLayers(group.layers, group.kv_heads, group.head_dim_k, group.head_dim_v, group.window_tokens)


def _recurrent(group: HasRecurrent) -> RecurrentLayers | None:
    conv, inner, state, groups = group.d_conv, group.d_inner, group.d_state, group.n_group
    if conv is None or inner is None or state is None or groups is None:
        return None
    return RecurrentLayers(group.layers, conv, inner, state, groups)
