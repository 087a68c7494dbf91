#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/counted.h"
#include "base/format.h"
#include "base/timing.h"
#include "data/data_origin.h"
#include "text/text_codec.h"
#include "train/divergence.h"
#include "train/learning_rates.h"
#include "train/region_phases.h"
#include "train/running_statistics.h"
#include "train/training_run.h"
#include "train/validation.h"

namespace asap::train {
namespace {

/// One training run from its state to its end.
class Trainer {
 public:
  Trainer(const config::TrainConfig& config, const config::RunFolder& run,
          const data::Dataset& train_data, const data::Dataset& test_data,
          const TrainerOptions& options)
      : config_(config),
        run_(run),
        train_data_(train_data),
        test_data_(test_data),
        options_(options),
        ranks_(*options.team.ranks),
        leads_(ranks_.leads()),
        model_(config.model, config.seed),
        optimizer_(model_.parameters(),
                   {config.train.beta1, config.train.beta2, config.train.adam_epsilon,
                    config.train.weight_decay, options.threads}),
        regions_(model_, optimizer_,
                 {release_step(config.train, planned_steps(config, train_data)),
                  config.train.weights_rate}),
        sampler_(
            {train_data.size(), config.train.batch, config.seed, false, config.train.length_pool},
            batch_lengths(config, train_data)),
        engine_(model_, {config.train.shard,
                         options.threads,
                         config.seed,
                         config.model.dropout,
                         config.model.embedding_dropout,
                         config.data.text.word_dropout,
                         config.train.label_smoothing,
                         {config.data.images.flip, config.data.images.crop_padding},
                         options.team}) {
    quicken_slack<float>(model_.parameters(), config.train.slack_rate, optimizer_);
    result_.total_steps = planned_steps(config, train_data);
    result_.parameters = regions_.parameter_count(result_.total_steps);
    schedule_ = schedule_of(config.train, result_.total_steps);
  }

  TrainingResult run() {
    require_same_training(options_, config_,
                          {{"the fingerprint of the training data", train_data_.fingerprint},
                           {"the fingerprint of the test data", test_data_.fingerprint}});
    const std::unique_ptr<base::FileLock> lock = occupy_run(run_, options_);
    begin();
    const std::int64_t first = step();
    const std::int64_t last = last_step(options_, result_.total_steps);
    while (step() < last && !result_.interrupted) {
      bool stop = false;
      if (!take_step(stop)) continue;
      // The test comes before the checkpoint, so that a run resumed from it has all the lines of
      // metrics.
      if (step() % sampler_.batches_per_epoch() == 0 || step() == result_.total_steps) test_epoch();
      if (ranks_.size() == 1) stop = options_.should_stop && options_.should_stop();
      result_.interrupted = step() < last && stop;
      const bool due =
          config_.train.checkpoint_every > 0 && step() % config_.train.checkpoint_every == 0;
      if (due || step() == last || result_.interrupted) save();
    }
    if (leads_ && result_.total_steps == 0 && !run_.newest_checkpoint())
      save();  // the first weights
    finish(first);
    return result_;
  }

 private:
  std::int64_t step() const { return progress_.step; }

  void begin() {
    const bool resumed = options_.resume && restore();
    if (options_.resume && options_.on_resume) options_.on_resume(step());
    if (!resumed && !config_.train.init_from.empty()) start_from_weights();
    require_same_state(ranks_, state());
    if (!leads_) return;
    if (train_data_.codec) text::write_text_codec(*train_data_.codec, run_.text());
    write_run_config(run_, config::to_json(config_));
    data::remember_data(run_, train_data_, test_data_);
    open_metrics(run_, resumed, step(), metrics_);
    if (!resumed && config_.train.on_divergence == config::DivergencePolicy::rollback) save();
  }

  void start_from_weights() {
    progress_.initial = take_initial_weights(config_.train.init_from, model_);
    regions_.initialised();
    note(describe_initial_weights(config_.train.init_from, progress_.initial));
  }

  /// Restores the newest checkpoint.
  bool restore() {
    TrainingState state{{}, model_.parameters(), optimizer_, sampler_};
    const bool found = load_checkpoint(run_, state, config_, train_data_.fingerprint,
                                       {options_.allowed_changes, options_.on_note});
    progress_ = state.progress;
    regions_.restored(step());
    if (leads_ && found) tidy_checkpoints(run_, step(), config_.train.keep_checkpoints);
    return found;
  }

  /// Returns false when the training rolled back instead. `stop`: whether a rank, of several, was
  /// interrupted.
  bool take_step(bool& stop) {
    const base::Stopwatch watch;
    regions_.before_step(step());
    StepReport report;
    report.total_steps = result_.total_steps;
    const std::span<const std::int64_t> indices = sampler_.next();
    const bool wants_to_stop = ranks_.size() > 1 && options_.should_stop && options_.should_stop();
    report.outcome = engine_.compute(train_data_, indices, step(), wants_to_stop);
    stop = report.outcome.reports.stop;
    report.epoch = sampler_.epoch();
    report.gradient_norm = optim::gradient_norm<float>(model_.parameters(), engine_.gradient());
    if (!std::isfinite(report.outcome.loss) || !std::isfinite(report.gradient_norm))
      return survive_divergence(indices);
    progress_.skipped_in_a_row = 0;
    report.learning_rate = schedule_.rate(step()) * progress_.learning_rate_factor;
    optimizer_.step(model_.parameters(), engine_.gradient(), report.learning_rate,
                    optim::clip_factor(report.gradient_norm, config_.train.clip_norm));
    move_statistics(model_.parameters(), engine_.gradient());
    regions_.after_update();
    report.step = ++progress_.step;
    result_.train_loss = report.outcome.loss;
    report.seconds = watch.seconds();
    seconds_ += report.seconds;
    log(report);
    if (options_.on_step) options_.on_step(report);
    return true;
  }

  /// Applies train.on_divergence: returns true when the step was skipped and false when the
  /// training rolled back; NumericalError when it must stop.
  bool survive_divergence(std::span<const std::int64_t> indices) {
    const std::string what =
        "step " + std::to_string(step() + 1) + ": " +
        describe_divergence(model_, engine_.gradient_view(), train_data_, indices);
    const config::DivergencePolicy policy = config_.train.on_divergence;
    if (policy == config::DivergencePolicy::skip && parameters_are_finite() &&
        progress_.skipped_in_a_row < config_.train.divergence_limit) {
      ++progress_.skipped_steps;
      ++progress_.skipped_in_a_row;
      ++progress_.step;
      write_metrics({{"step", step()}, {"skipped_steps", progress_.skipped_steps}});
      note(what + "; the step is skipped");
      return true;
    }
    if (policy == config::DivergencePolicy::rollback &&
        progress_.rollbacks < config_.train.divergence_limit) {
      roll_back(what);
      return false;
    }
    throw base::NumericalError(
        "training diverged at " + what + kept_checkpoint(run_),
        policy == config::DivergencePolicy::stop
            ? "lower train.learning_rate, set train.clip_norm, or choose train.on_divergence=skip "
              "or rollback"
            : "train.divergence_limit is reached or the weights are lost; lower "
              "train.learning_rate or set train.clip_norm");
  }

  /// Restores the newest checkpoint and writes it again with the halved learning rate, so that a
  /// resumed run does the same.
  void roll_back(const std::string& what) {
    const std::int64_t rollbacks = progress_.rollbacks + 1;
    const double factor = progress_.learning_rate_factor / 2;
    base::check(restore(), "roll_back: there is always a checkpoint");
    require_same_state(ranks_, state());  // all have read it before it is written again
    progress_.rollbacks = rollbacks;
    progress_.learning_rate_factor = factor;
    if (leads_) {
      metrics_.reset();
      metrics_.emplace(run_.metrics(), step());
    }
    save();
    note(what + "; back to step " + std::to_string(step()) + ", learning rate times " +
         base::format_significant(factor));
  }

  bool parameters_are_finite() const {
    return std::ranges::all_of(model_.parameters().flat(),
                               [](float value) { return std::isfinite(value); });
  }

  void note(const std::string& text) const {
    if (options_.on_note) options_.on_note(text);
  }

  void log(const StepReport& report) {
    const attention::AttentionEvidence& evidence = report.outcome.evidence;
    io::Json line = {
        {"step", report.step},
        {"epoch", report.epoch},
        {"loss", report.outcome.loss},
        {"accuracy", report.outcome.accuracy},
        {"learning_rate", report.learning_rate},
        {"gradient_norm", report.gradient_norm},
        {"column_error", evidence.column_error_sum /
                             static_cast<double>(std::max<std::int64_t>(evidence.heads, 1))},
        {"log_domain_heads", evidence.log_domain_heads},
        {"underflows", evidence.underflows}};
    if (progress_.skipped_steps > 0) line["skipped_steps"] = progress_.skipped_steps;
    if (progress_.rollbacks > 0) line["rollbacks"] = progress_.rollbacks;
    write_metrics(line);
  }

  void write_metrics(const io::Json& line) {
    if (leads_) metrics_->write(line);
  }

  TrainingState state() { return {progress_, model_.parameters(), optimizer_, sampler_}; }

  void save() {
    if (!leads_) return;
    metrics_->sync();
    save_checkpoint(run_, state(), config::to_json(config_), train_data_.fingerprint,
                    config_.train.keep_checkpoints);
  }

  TestReport test() const {
    const infer::Encoder encoder(config_.model, export_parameters(model_.parameters()), "");
    return test_model(encoder, test_data_, options_.threads, ranks_);
  }

  void test_epoch() {
    result_.test = test();
    tested_step_ = step();
    write_metrics({{"step", step()},
                   {"test_loss", result_.test.loss},
                   {"test_accuracy", result_.test.accuracy}});
    if (config_.train.keep_best &&
        (!progress_.best || result_.test.accuracy > progress_.best->accuracy)) {
      progress_.best = BestTest{step(), result_.test.accuracy, result_.test.loss};
      if (leads_)
        write_checkpoint(run_.best_checkpoint(), state(), config::to_json(config_),
                         train_data_.fingerprint);
    }
    if (options_.on_test) options_.on_test(step(), result_.test);
  }

  void finish(std::int64_t first) {
    result_.steps = step();
    result_.finished = step() == result_.total_steps;
    result_.skipped_steps = progress_.skipped_steps;
    result_.rollbacks = progress_.rollbacks;
    result_.best = progress_.best;
    result_.initial = progress_.initial;
    result_.seconds = seconds_;
    result_.step_peak_bytes = engine_.step_peak_bytes();
    result_.examples_per_second =
        seconds_ > 0 ? static_cast<double>((step() - first) * config_.train.batch) / seconds_ : 0;
    // Not in metrics.jsonl: an uninterrupted training would not have this line.
    if (tested_step_ != step() && !result_.interrupted) result_.test = test();
  }

  const config::TrainConfig& config_;
  const config::RunFolder& run_;
  const data::Dataset& train_data_;
  const data::Dataset& test_data_;
  const TrainerOptions& options_;
  distributed::Ranks& ranks_;
  const bool leads_;
  nn::Transformer<float> model_;
  optim::AdamW<float> optimizer_;
  RegionPhases regions_;
  data::EpochSampler sampler_;
  ShardEngine engine_;
  optim::WarmupCosine schedule_;
  std::optional<io::MetricsWriter> metrics_;
  TrainingProgress progress_;
  double seconds_ = 0;
  std::int64_t tested_step_ = -1;
  TrainingResult result_;
};

}  // namespace

std::vector<std::int64_t> batch_lengths(const config::TrainConfig& config,
                                        const data::Dataset& data) {
  std::vector<std::int64_t> lengths;
  if (config.train.length_pool > 1)
    for (std::int64_t i = 0; i < data.size(); ++i) lengths.push_back(data.tokens(i));
  return lengths;
}

std::int64_t planned_steps(const config::TrainConfig& config, const data::Dataset& train) {
  const std::int64_t per_epoch = train.size() / config.train.batch;
  if (per_epoch == 0)
    throw base::UsageError("train.batch is " + std::to_string(config.train.batch) +
                               ", but there are only " +
                               base::counted(train.size(), "training example"),
                           "lower train.batch");
  const std::int64_t steps = per_epoch * config.train.epochs;
  return config.train.max_steps > 0 ? std::min(config.train.max_steps, steps) : steps;
}

TrainingResult train(const config::TrainConfig& config, const config::RunFolder& run,
                     const data::Dataset& train_data, const data::Dataset& test_data,
                     const TrainerOptions& options) {
  return Trainer(config, run, train_data, test_data, options).run();
}

}  // namespace asap::train
