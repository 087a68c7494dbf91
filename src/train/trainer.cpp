#include "train/trainer.h"

#include <cmath>
#include <optional>

#include "base/files.h"
#include "base/timing.h"
#include "io/metrics.h"
#include "optim/schedule.h"
#include "train/checkpoint.h"
#include "train/validation.h"

namespace asap {
namespace {

/// Why a step cannot be taken: the first tensor with a value that is not finite.
std::string first_bad_tensor(const ParameterStore<float>& parameters, VectorView<const float> flat) {
  for (const auto& entry : parameters.entries())
    for (const float value : flat.subspan(static_cast<std::size_t>(entry.offset),
                                          static_cast<std::size_t>(entry.shape.size())))
      if (!std::isfinite(value)) return entry.name;
  return "";
}

/// One training run from its state to its end.
class Trainer {
 public:
  Trainer(const TrainConfig& config, const RunFolder& run, const Dataset& train_data,
          const Dataset& test_data, const TrainerOptions& options)
      : config_(config),
        run_(run),
        train_data_(train_data),
        test_data_(test_data),
        options_(options),
        model_(config.model, config.seed),
        optimizer_(model_.parameters(), {config.train.beta1, config.train.beta2,
                                         config.train.adam_epsilon, config.train.weight_decay}),
        sampler_({train_data.size(), config.train.batch, config.seed}),
        engine_(model_, {config.train.shard, options.threads, config.seed, config.model.dropout,
                         config.train.label_smoothing}) {
    result_.total_steps = planned_steps(config, train_data);
    result_.parameters = model_.parameters().parameter_count();
    schedule_ = {config.train.learning_rate, config.train.final_learning_rate_fraction,
                 static_cast<std::int64_t>(config.train.warmup_fraction *
                                           static_cast<double>(result_.total_steps)),
                 result_.total_steps};
  }

  TrainingResult run() {
    begin();
    const std::int64_t first = step_;
    const std::int64_t last = options_.stop_after > 0
                                  ? std::min(options_.stop_after, result_.total_steps)
                                  : result_.total_steps;
    bool stopping = step_ >= last;
    while (!stopping) {
      take_step();
      stopping = step_ >= last || (options_.should_stop && options_.should_stop());
      const bool due =
          config_.train.checkpoint_every > 0 && step_ % config_.train.checkpoint_every == 0;
      if (due || stopping) save();
      if (step_ % sampler_.batches_per_epoch() == 0 || step_ == result_.total_steps) test();
    }
    result_.steps = step_;
    result_.finished = step_ == result_.total_steps;
    result_.seconds = seconds_;
    result_.examples_per_second =
        seconds_ > 0 ? static_cast<double>((step_ - first) * config_.train.batch) / seconds_ : 0;
    if (!tested_) test();
    return result_;
  }

 private:
  void begin() {
    if (!options_.resume && (std::filesystem::exists(run_.config()) || run_.newest_checkpoint()))
      throw UsageError("'" + run_.path().string() + "' already holds a training run",
                       "continue it with --resume, or choose another --out");
    make_directories(run_.path());
    TrainingState state{0, model_, optimizer_, sampler_};
    const bool resumed =
        options_.resume && load_checkpoint(run_, state, config_, train_data_.fingerprint);
    step_ = state.step;
    if (options_.resume && options_.on_resume) options_.on_resume(step_);
    write_json(run_.config(), to_json(config_));
    if (resumed)
      metrics_.emplace(run_.metrics(), step_);
    else
      metrics_.emplace(run_.metrics());
  }

  void take_step() {
    const Stopwatch watch;
    StepReport report;
    report.total_steps = result_.total_steps;
    report.outcome = engine_.compute(train_data_, sampler_.next(), step_);
    report.epoch = sampler_.epoch();
    report.gradient_norm = gradient_norm<float>(model_.parameters(), engine_.gradient());
    require_finite(report);
    report.learning_rate = schedule_.rate(step_);
    const double clip = config_.train.clip_norm;
    const double factor =
        clip > 0 && report.gradient_norm > clip ? clip / report.gradient_norm : 1.0;
    optimizer_.step(model_.parameters(), engine_.gradient(), report.learning_rate, factor);
    report.step = ++step_;
    result_.train_loss = report.outcome.loss;
    seconds_ += watch.seconds();
    tested_ = false;
    log(report);
    if (options_.on_step) options_.on_step(report);
  }

  void require_finite(const StepReport& report) const {
    if (std::isfinite(report.outcome.loss) && std::isfinite(report.gradient_norm)) return;
    std::string bad = first_bad_tensor(model_.parameters(), model_.parameters().flat());
    std::string what = "the loss";
    if (!bad.empty())
      what = "parameter '" + bad + "'";
    else if (bad = first_bad_tensor(model_.parameters(), engine_.gradient_view()); !bad.empty())
      what = "the gradient of '" + bad + "'";
    const auto checkpoint = run_.newest_checkpoint();
    throw NumericalError(
        "training diverged at step " + std::to_string(step_ + 1) + ": " + what + " is not finite" +
            (checkpoint ? " (the checkpoint '" + checkpoint->string() + "' is kept)" : ""),
        "lower train.learning_rate, or set train.clip_norm");
  }

  void log(const StepReport& report) {
    const AttentionEvidence& evidence = report.outcome.evidence;
    metrics_->write(
        {{"step", report.step},
         {"epoch", report.epoch},
         {"loss", report.outcome.loss},
         {"accuracy", report.outcome.accuracy},
         {"learning_rate", report.learning_rate},
         {"gradient_norm", report.gradient_norm},
         {"column_error",
          evidence.column_error_sum / static_cast<double>(std::max<std::int64_t>(evidence.heads, 1))},
         {"log_domain_heads", evidence.log_domain_heads}});
  }

  void save() {
    save_checkpoint(run_, {step_, model_, optimizer_, sampler_}, config_, train_data_.fingerprint,
                    config_.train.keep_checkpoints);
  }

  void test() {
    const Encoder encoder(config_.model, export_parameters(model_.parameters()), "");
    result_.test = test_model(encoder, test_data_, options_.threads);
    tested_ = true;
    metrics_->write({{"step", step_},
                     {"test_loss", result_.test.loss},
                     {"test_accuracy", result_.test.accuracy}});
    if (options_.on_test) options_.on_test(step_, result_.test);
  }

  const TrainConfig& config_;
  const RunFolder& run_;
  const Dataset& train_data_;
  const Dataset& test_data_;
  const TrainerOptions& options_;
  VisionTransformer<float> model_;
  AdamW<float> optimizer_;
  EpochSampler sampler_;
  ShardEngine engine_;
  WarmupCosine schedule_;
  std::optional<MetricsWriter> metrics_;
  std::int64_t step_ = 0;
  double seconds_ = 0;
  bool tested_ = false;
  TrainingResult result_;
};

}  // namespace

std::int64_t planned_steps(const TrainConfig& config, const Dataset& train) {
  const std::int64_t per_epoch = train.size() / config.train.batch;
  if (per_epoch == 0)
    throw UsageError("train.batch is " + std::to_string(config.train.batch) + ", but there are only " +
                         std::to_string(train.size()) + " training images",
                     "lower train.batch");
  const std::int64_t steps = per_epoch * config.train.epochs;
  return config.train.max_steps > 0 ? std::min(config.train.max_steps, steps) : steps;
}

TrainingResult train(const TrainConfig& config, const RunFolder& run, const Dataset& train_data,
                     const Dataset& test_data, const TrainerOptions& options) {
  return Trainer(config, run, train_data, test_data, options).run();
}

}  // namespace asap
