#pragma once

#include <cstdint>
#include <memory>

#include "attention/interface/trainable_attention.h"
#include "attention/kinds/espformer_attention.h"
#include "config/model_config.h"

namespace asap::attention {

template <class T>
std::unique_ptr<TrainableAttention<T>> make_softmax_attention();

/// Name of the parameter log c where slack is learned.
inline constexpr const char* kLogSlack = "log_slack";

/// Where the slack c of a Sinkhorn head comes from: it is given with the head
/// (AttentionHead::slack) unless the kind says otherwise.
struct SlackSettings {
  config::SlackKind kind = config::SlackKind::none;
  double start = 0;  ///< c of every head; of a learned one, the value it starts from
};

/// Slack c of a head whose learned logarithm is log c, kept within e^-20 and e^20: beyond, the plan
/// is that of Sinkhorn or softmax attention to the last digit of a float.
template <class T>
T slack_from_log(T log_slack);

/// `implicit_gradient`: see sinkhorn_attention_implicit_vjp; not with slack. iterations >= 0.
template <class T>
std::unique_ptr<TrainableAttention<T>> make_sinkhorn_attention(int iterations,
                                                               bool implicit_gradient = false,
                                                               const SlackSettings& slack = {});

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
