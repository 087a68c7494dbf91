#pragma once

#include <cstdint>
#include <memory>

#include "attention/interface/trainable_attention.h"
#include "attention/kinds/espformer_attention.h"
#include "config/model_config.h"

namespace asap::attention {

template <class T>
std::unique_ptr<TrainableAttention<T>> make_softmax_attention();

/// `implicit_gradient`: see sinkhorn_attention_implicit_vjp. iterations >= 0.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_sinkhorn_attention(int iterations,
                                                               bool implicit_gradient = false);

/// See sinkformer_attention.h. iterations >= 0.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_sinkformer_attention(int iterations);

/// ESPFormer on the first `slices` coordinates of queries and keys; 0: on all of them, the
/// published default.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_espformer_attention(std::int64_t slices,
                                                                const EspformerSettings& settings);

/// See lotformer_attention.h. pivots > 0, iterations >= 0.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_lotformer_attention(std::int64_t pivots,
                                                                int iterations);

/// See differential_attention.h.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_differential_attention();

/// The attention that a configuration names, for networks with a tape (T float or double) and
/// without. A new kind is one case of its definition.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_attention(const config::AttentionConfig& config);

}  // namespace asap::attention
