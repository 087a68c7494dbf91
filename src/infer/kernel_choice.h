#pragma once

#include <memory>

#include "attention/attention_kernel.h"
#include "io/model_config.h"

namespace asap {

/// The kernel a configuration names, for networks with a tape (T float or double) and without.
template <class T>
std::unique_ptr<AttentionKernel<T>> make_attention_kernel(const AttentionConfig& config);

}  // namespace asap
