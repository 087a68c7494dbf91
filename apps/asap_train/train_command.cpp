#include "asap_train/train_command.h"

#include <algorithm>

#include "asap_train/matcher_training.h"
#include "asap_train/training_progress.h"
#include "asap_train/trials.h"
#include "base/counted.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "pretrained/pretrained_model.h"
#include "tensor/simd/bfloat16_unit.h"
#include "train/summary.h"
#include "train/trial_training.h"

namespace asap::asap_train {
namespace {

class TrainCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    add_trial_options(program);
    add_training_options(program);
    add_rank_options(program);
    cli::add_common_options(
        program, common_, "asap-train",
        "asap-train --config configs/train/fashion_mnist_sinkhorn.json --out runs/fashion", false);
    return &program;
  }

  std::vector<config::FieldDescription> keys() const override {
    std::vector<config::FieldDescription> keys = config::list_fields(config::TrainConfig{});
    for (config::FieldDescription& key : config::list_fields(config::MatcherTrainConfig{})) {
      const bool known = std::ranges::any_of(
          keys, [&](const config::FieldDescription& other) { return other.path == key.path; });
      if (!known) keys.push_back(std::move(key));
    }
    return keys;
  }

  bool draws_random_numbers() const override { return true; }
  bool works_in_ranks() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    distributed::Ranks& ranks = join();
    if (asks_for_matcher(common_)) return train_matcher();
    config::TrainConfig config = resolve();
    if (cli::dump_config(common_, config)) return;
    const bool trial = dry_run_ || overfit_;
    if (trial && tensorboard_)
      throw base::UsageError("--tensorboard is for trainings; this writes nothing", "leave it out");
    const config::RunFolder folder(trial ? common_.out : common_.required_out());
    if (!trial) cli::refuse_results_of_others(common_);
    cli::RunHeader header(common_, "asap-train", config.seed);
    cli::describe_ranks(ranks, common_.threads, header);
    if (common_.config.empty() && common_.assignments.empty())
      header.add("config", "none was given; " + what_defaults_train(config));
    const data::Dataset train_data =
        data::load_dataset(config.data, data::Split::train,
                           train::initial_text_codec(config, folder, options_.resume));
    data::require_several_classes(train_data);  // data.shift may leave one
    const data::Dataset test_data =
        data::load_dataset(config.data, data::Split::test, train_data.codec);
    if (pretrained_ && train_data.kind == data::ExampleKind::images)
      pretrained::require_fitting_images(
          *pretrained_, train_data.name,
          {train_data.channels, train_data.height, train_data.width});
    config.model = data::fit_model_to_data(config.model, train_data, cli::config_source(common_));
    data::fit_model_to_data(config.model, test_data, cli::config_source(common_));
    describe(header, config, train_data, test_data);
    if (ranks.size() > 1 && trial)
      throw base::UsageError(
          std::string(dry_run_ ? "--dry-run" : "--overfit-one-batch") + " works in one process",
          "start it without mpirun");
    if (dry_run_) return print_estimate(common_, config, train_data, test_data);
    if (overfit_) return try_to_overfit(common_, config, train_data);
    train(config, folder, train_data, test_data);
  }

 private:
  /// Makes the ranks of mpirun or srun those of the training.
  distributed::Ranks& join() {
    distributed::Ranks& ranks = cli::prepare_ranks(common_);
    ranks.set_time_limit(rank_timeout_);
    options_.team = {&ranks,
                     fast_reduction_ ? distributed::SumOrder::any : distributed::SumOrder::fixed};
    if (ranks.size() > 1) options_.identity = cli::program_identity();
    return ranks;
  }

  void add_rank_options(CLI::App& app) {
    const std::string group = "Several processes (mpirun, srun)";
    app.add_flag("--fast-reduction", fast_reduction_,
                 "Add gradients of different ranks in any order: the result then depends, in its "
                 "last digits, on the number of ranks")
        ->group(group);
    app.add_option("--rank-timeout", rank_timeout_,
                   "End the training when a rank leaves the others waiting for longer; 0: no limit")
        ->type_name("SECONDS")
        ->check(cli::number_in(config::at_least(0)))
        ->capture_default_str()
        ->group(group);
  }

  /// What is done instead of a training.
  void add_trial_options(CLI::App& app) {
    CLI::Option* dry_run = app.add_flag(
        "--dry-run", dry_run_,
        "Estimate the time and memory of the training from a few steps; writes nothing");
    dry_run->group("Before training");
    app.add_flag("--overfit-one-batch", overfit_,
                 "Check that the model can memorise one batch, then stop; writes nothing")
        ->excludes(dry_run)
        ->group("Before training");
  }

  void add_training_options(CLI::App& app) {
    const std::string group = "Training";
    CLI::Option* resume = app.add_flag(
        "--resume", options_.resume,
        "Continue from the newest checkpoint of --out, or start afresh when there is none");
    resume->group(group);
    app.add_option("--allow", options_.allowed_changes,
                   "With --resume: a key, or a group of keys, whose value may change")
        ->type_name("KEY")
        ->allow_extra_args(false)
        ->needs(resume)
        ->group(group);
    app.add_option("--max-steps", options_.stop_after,
                   "Stop after step N and save a checkpoint; 0: train to the end")
        ->type_name("N")
        ->check(cli::number_in(config::at_least(0)))
        ->default_str("0")
        ->group(group);
    app.add_option("--init-from", init_from_,
                   "Start from the weights of another run of the same model; its attention and "
                   "classes may differ, and other classes get a fresh classifier. Or from "
                   "model.safetensors of a BERT, MiniLM, DistilBERT or ViT, with config.json and, "
                   "for texts, vocab.txt beside it, which set model.* and the tokenizer")
        ->type_name("RUN|FILE")
        ->group(group);
    app.add_flag("--tensorboard", tensorboard_,
                 "Keep an event file for TensorBoard, RUN/tensorboard, with the numbers of "
                 "metrics.jsonl; also with --resume, for all steps before")
        ->group(group);
  }

  void train_matcher() const {
    if (dry_run_ || overfit_ || !init_from_.empty())
      throw base::UsageError(std::string(dry_run_   ? "--dry-run"
                                         : overfit_ ? "--overfit-one-batch"
                                                    : "--init-from") +
                                 " is not for matchers (model.kind=matcher)",
                             "leave it out");
    run_matcher_training(common_, options_, tensorboard_);
  }

  /// "trains the defaults: vit with sinkhorn attention on fashion-mnist"
  static std::string what_defaults_train(const config::TrainConfig& config) {
    const io::Json json = config::to_json(config);
    return "trains the defaults: " + json["model"]["kind"].get<std::string>() + " with " +
           json["model"]["attention"]["kind"].get<std::string>() + " attention on " +
           json["data"]["name"].get<std::string>() + " (hint: --config FILE, --set KEY=VALUE)";
  }

  config::TrainConfig resolve() {
    config::TrainConfig config = cli::resolve_config(common_, config::TrainConfig{});
    if (!init_from_.empty()) config.train.init_from = init_from_;
    if (const auto file = pretrained::find_pretrained(config.train.init_from)) {
      const std::string named = config.train.init_from;
      pretrained_ = pretrained::read_pretrained(*file);
      config = cli::resolve_config(common_, pretrained::initial_config(*pretrained_));
      config.train.init_from = named;
      pretrained::require_own_network(*pretrained_, config, cli::config_source(common_));
    } else if (options_.resume && !std::filesystem::exists(config.train.init_from)) {
      config = resolve_as_resumed(config);
    }
    if (common_.seed) config.seed = *common_.seed;
    config.validate(cli::config_source(common_));
    return config;
  }

  /// A run that began with a pretrained model can be resumed without its files: it holds what they
  /// said.
  config::TrainConfig resolve_as_resumed(const config::TrainConfig& config) const {
    const config::RunFolder run(common_.out);
    if (config.train.init_from.empty() || !std::filesystem::exists(run.config())) return config;
    const config::TrainConfig before = run.read_config();
    // Imported networks of images have a class token; those of other runs begin without.
    const bool images = before.model.kind == config::ModelKind::vit &&
                        before.model.pooling == config::Pooling::class_token;
    if (before.data.text.tokenizer != config::TokenizerKind::wordpiece && !images) return config;
    config::TrainConfig defaults;
    defaults.model = before.model;
    defaults.model.attention = {};
    defaults.model.attention.kind = config::AttentionKind::softmax;
    defaults.data.text = before.data.text;
    if (images) {
      defaults.data.kind = before.data.kind;
      defaults.data.images.size = before.data.images.size;
    }
    config::TrainConfig resolved = cli::resolve_config(common_, defaults);
    resolved.train.init_from = config.train.init_from;
    return resolved;
  }

  /// What was read besides the weights, for the header.
  void describe_pretrained(cli::RunHeader& header) const {
    if (!pretrained_) return;
    header.add(
        "pretrained",
        pretrained_->source +
            (pretrained_->truncation.empty() ? "" : "; longest text " + pretrained_->truncation));
    if (!pretrained_->left_out.empty())
      header.add("left out", base::join(pretrained_->left_out, ", "));
  }

  void describe(cli::RunHeader& header, const config::TrainConfig& config,
                const data::Dataset& train_data, const data::Dataset& test_data) const {
    const char* examples = data::examples_name(train_data.kind);
    header.add("data", train_data.name + ": " + base::format_count(train_data.size()) +
                           " training, " +
                           base::counted_plural(test_data.size(), std::string("test ") + examples));
    if (const std::string classes = data::describe_classes(train_data); !classes.empty())
      header.add("classes", classes);
    if (const std::string doubt = data::doubt_about_labels(train_data); !doubt.empty())
      header.add("warning", doubt);
    std::vector<const data::Dataset*> parts{&train_data};
    if (config.data.test_fraction == 0) parts.push_back(&test_data);  // else from the same files
    for (const data::Dataset* part : parts)
      if (!part->warning.empty()) header.add("warning", part->warning);
    header.add("model", config::describe_model(config.model));
    if (config.model.product_precision == tensor::ProductPrecision::bfloat16 &&
        tensor::bfloat16_unit() == tensor::BFloat16Unit::none)
      header.add("note",
                 "there are no products in bfloat16 here (AVX512_BF16): they are those of floats");
    describe_pretrained(header);
    for (const data::Dataset* part : parts)
      if (!part->skipped.empty()) header.add("skipped", data::describe_skipped(*part));
    if (common_.prints_text()) {
      const train::TrainingFootprint footprint = train::training_footprint(
          config, train_data, common_.threads, options_.team.ranks->size());
      header.add("parameters", base::format_count(footprint.parameters))
          .add("memory", base::format_bytes(footprint.bytes()) + " beside the data" +
                             (options_.team.ranks->size() > 1 ? ", each rank" : ""));
    }
    const std::int64_t steps = train::planned_steps(config, train_data);
    header.add("training", base::counted(steps, "step") + " of " +
                               base::counted_plural(config.train.batch, examples));
    if (config.train.max_steps > steps)
      header.add("note", "train.epochs " + std::to_string(config.train.epochs) +
                             " ends the training before train.max_steps " +
                             base::format_count(config.train.max_steps));
  }

  void train(const config::TrainConfig& config, const config::RunFolder& folder,
             const data::Dataset& train_data, const data::Dataset& test_data) {
    const std::int64_t steps = train::planned_steps(config, train_data);
    options_.threads = common_.threads;
    cli::ProgressBar bar(common_, {.title = "train",
                                   .item = data::examples_name(train_data.kind),
                                   .total = steps,
                                   .items_per_step = static_cast<double>(config.train.batch)});
    report_to(bar, options_);
    io::EventMirror mirror(folder.metrics(), io::event_file_of(folder.path()));
    const bool mirrors = tensorboard_ && options_.team.ranks->leads();
    if (mirrors) mirror_metrics(mirror, options_);
    const cli::InterruptGuard interrupt;
    options_.should_stop = [&] { return interrupt.interrupted(); };
    const train::TrainingResult result =
        train::train(config, folder, train_data, test_data, options_);
    bar.finish();
    if (mirrors) mirror.update();  // of a run that had no step left
    if (result.interrupted) stop_interrupted(interrupt, result.steps, steps);
    if (!options_.team.ranks->leads()) return;
    cli::finish_with_summary(common_, train::training_summary(config, result),
                             train::training_text(folder, config, result));
  }

  cli::CommonOptions common_;
  train::TrainerOptions options_;
  std::string init_from_;
  std::optional<pretrained::PretrainedModel> pretrained_;
  bool dry_run_ = false, overfit_ = false, fast_reduction_ = false, tensorboard_ = false;
  double rank_timeout_ = 600;
};

}  // namespace

std::unique_ptr<cli::Command> train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace asap::asap_train
