#pragma once

#include "attention/kinds/attention_kinds.h"
#include "autodiff/parameter_store.h"
#include "optim/adamw.h"

namespace asap::train {

/// Lets the logarithms of learned slack learn `rate` times as fast as all other parameters: one
/// number per head that has to move by several units hardly would at their rate.
template <class T>
void quicken_slack(const autodiff::ParameterStore<T>& parameters, double rate,
                   optim::AdamW<T>& optimizer) {
  const std::string ending = std::string(".") + attention::kLogSlack;
  for (std::size_t index = 0; index < parameters.entries().size(); ++index)
    if (parameters.entries()[index].name.ends_with(ending))
      optimizer.set_pace({static_cast<int>(index)}, {.rate_factor = rate});
}

}  // namespace asap::train
