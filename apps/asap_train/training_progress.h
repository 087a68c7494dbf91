#pragma once

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "io/event_file.h"
#include "train/trainer.h"

namespace asap::asap_train {

/// Shows on the bar, and above it, what happens in the training; of several ranks, rank 0 does. The
/// last field then names the slowest rank of the step and the share of the step for which it
/// computed, in which the others computed less and waited.
void report_to(cli::ProgressBar& bar, train::TrainerOptions& options);

/// Has the training keep an event file for TensorBoard equal to its metrics, beside what else
/// `options` call. `mirror` must outlive them.
void mirror_metrics(io::EventMirror& mirror, train::TrainerOptions& options);

/// Ends the program after a training of `total` steps that was interrupted after `steps`, and says
/// how to continue.
[[noreturn]] void stop_interrupted(const cli::InterruptGuard& interrupt, std::int64_t steps,
                                   std::int64_t total);

}  // namespace asap::asap_train
