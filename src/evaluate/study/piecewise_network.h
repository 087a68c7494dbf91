#pragma once

#include "config/model_config.h"
#include "io/safetensors.h"
#include "region/network/relu_network.h"

namespace asap::evaluate {

/// Trained weights as exact ReLU networks in float64, whose regions can be counted. A learned
/// activation is a block of four neurons a channel. While its peaks are trained its weights are
/// unfolded anew in float64, so that rounding to float32 adds no regions.

/// Whether the learned activations under `prefix` ("hidden.0.", "layers.0.feed_forward.") are still
/// those that their peaks stand for.
bool follows_peaks(const io::TensorFile& weights, const std::string& prefix,
                   const config::FeedForwardConfig& config, std::int64_t channels);

/// The network of one channel: [depth hidden layers of width 4], one input.
region::ReluNetwork channel_network(const io::TensorFile& weights, const std::string& prefix,
                                    const config::FeedForwardConfig& config, std::int64_t channels,
                                    std::int64_t channel);

/// Which outputs of a network are kept: the first, which all its regions reach, or all of them (a
/// network of several outputs, for export).
enum class Outputs { first, all };

/// The hidden layers of a network without attention up to its logits: a perceptron, or what follows
/// the convolutions. UsageError for activations that are not
/// piecewise linear (gelu).
region::ReluNetwork perceptron_network(const io::TensorFile& weights,
                                       const config::ModelConfig& config,
                                       Outputs outputs = Outputs::first);

/// The feed-forward part of one layer of a Transformer up to its first output.
region::ReluNetwork feed_forward_network(const io::TensorFile& weights,
                                         const config::ModelConfig& config, int layer);

}  // namespace asap::evaluate
