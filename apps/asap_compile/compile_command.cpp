#include "asap_compile/compile_command.h"

#include <algorithm>
#include <map>

#include "asap_compile/matcher_compile.h"
#include "base/counted.h"
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "cli/config.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "compile/calibration.h"
#include "compile/compile_report.h"
#include "config/run_folder.h"
#include "infer/matcher.h"

namespace asap::asap_compile {
namespace {

/// A flag that sets one key of the configuration, as text: --slices 4.
struct FieldFlag {
  const char *name, *key, *value, *help;
};
constexpr FieldFlag kFields[] = {
    {"--teacher", "teacher", "NAME",
     "Attention to imitate: own (the network's), or sinkhorn:T on the scores of a softmax network"},
    {"--mode", "mode", "row_dual|key_bias",
     "Predict the row dual and close it, or a bias per key for softmax attention"},
    {"--slices", "slices", "L", "Slices on which one-dimensional transport is solved"},
    {"--slice-kind", "slice_kind", "canonical|random",
     "Directions of the slices: from the calibration examples, or random"},
    {"--features", "features", "LIST",
     "Features that predict the dual, comma-separated: any of pot, gau, lin, tilt, lse, lse0, "
     "start, landmarks:M, it:K; auto: each layer takes the cheapest of several, or the loop"},
    {"--error", "error", "X",
     "With auto: the largest relative output error of a layer; less in more than 3 layers"},
    {"--budget", "budget", "X",
     "With auto, instead of --error: the most exact within X times softmax's attention time"},
    {"--profile", "profile", "FILE",
     "Machine profile (asap-eval bench --profile) instead of the shipped one"},
    {"--objective", "objective", "ridge|kl|output|dual",
     "What to fit: the dual, the plan, the output, or the entropic dual without a teacher"},
    {"--calibration", "calibration", "N", "Fit on N unlabelled examples"}};

/// The line on what is fitted.
std::string describe_operator(const compile::CompileConfig& config, std::int64_t layers) {
  const std::string bias = config.mode == attention::CompiledMode::key_bias ? "key bias, " : "";
  const std::string fitted = ", fitted on " + base::counted(config.calibration, "example");
  if (config.chooses_features() && config.budget > 0)
    return bias + "in each layer the most exact within " + base::format_significant(config.budget) +
           " times softmax's attention time" + fitted;
  if (config.chooses_features())
    return bias + "in each layer the cheapest with an error of at most " +
           base::format_significant(compile::error_of_layers(config.error, layers)) + fitted;
  const std::string slices =
      config.dual_features().uses_slices() ? base::counted(config.slices, "slice") + ", " : "";
  return bias + slices + "features " + base::join(config.features, ",") + fitted;
}

/// What every layer runs, and why.
std::string choice_text(const compile::OperatorChoice& choice) {
  std::string text;
  for (std::size_t layer = 0; layer < choice.chosen.size(); ++layer)
    text += compile::choice_words(choice, layer) + "\n";
  return text + "attention of all layers: " + base::format_fixed(choice.over_softmax(), 2) +
         " times softmax's, by the machine profile " + choice.instruction_set + "\n";
}

std::string result_text(const compile::CompiledModel& model, int teacher_iterations,
                        double seconds) {
  base::Table table({{"layer"},
                     {"head"},
                     {"dual R2"},
                     {"plan L1"},
                     {"plan KL"},
                     {"column error"},
                     {"(teacher's)"},
                     {"output error"}});
  const auto add = [&](const std::string& layer, const std::string& head,
                       const compile::HeadEvidence& e) {
    table.add_row({layer, head, base::format_fixed(e.dual_r2, 4), base::format_fixed(e.plan_l1, 4),
                   base::format_fixed(e.plan_kl, 5), base::format_fixed(e.column_error, 4),
                   base::format_fixed(e.teacher_column_error, 4),
                   base::format_fixed(e.output_error, 4)});
  };
  for (std::size_t l = 0; l < model.evidence.size(); ++l)
    for (std::size_t h = 0; h < model.evidence[l].size(); ++h)
      add(std::to_string(l), std::to_string(h), model.evidence[l][h]);
  add("mean", "", compile::mean_evidence(model.evidence));
  std::string notes;
  for (const std::string& note : compile::compile_notes(model, teacher_iterations))
    notes += "note: " + note + "\n";
  return choice_text(model.choice) + table.text() + "measured on " +
         base::counted(model.held_out_examples, "example") + " that the fit has not seen; " +
         base::format_seconds(seconds) + "\n" + notes;
}

/// What was captured from which teacher.
std::string describe_activations(const compile::Activations& activations,
                                 const compile::CompileConfig& config) {
  return compile::describe(activations) + "; teacher: Sinkhorn, " +
         base::counted(activations.iterations, "iteration") + ", epsilon " +
         base::format_significant(config.activations.epsilon);
}

/// The defaults, with the data of the run if one is named. 0 heads: not stated.
compile::CompileConfig default_config(const std::filesystem::path& run_folder) {
  compile::CompileConfig config;
  config.activations.heads = 0;
  if (!run_folder.empty()) config.data = config::RunFolder(run_folder).read_config().data;
  return config;
}

class CompileCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    program_ = &program;
    CLI::Option* run_option = program.add_option("--run", run_, "Run folder of asap-train")
                                  ->type_name("DIR")
                                  ->group("Input");
    program
        .add_option("--activations", activations_,
                    "Instead of --run: captured queries and keys (safetensors or npz)")
        ->type_name("FILE")
        ->excludes(run_option)
        ->group("Input");
    program
        .add_option(
            "--heads", heads_,
            "Heads side by side in the columns of --activations (default: as the file says)")
        ->type_name("N")
        ->check(CLI::Range(1, 65536))
        ->excludes(run_option)
        ->group("Input");
    const std::vector<config::FieldDescription> defaults = keys();
    for (const FieldFlag& field : kFields)
      cli::show_default(program.add_option(field.name, flags_[field.name], field.help), defaults,
                        field.key)
          ->type_name(field.value)
          ->group("Operator");
    add_matcher(program);
    cli::add_common_options(program, common_, "asap-compile",
                            "asap-compile --run runs/fashion --out runs/op");
    return &program;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(default_config({}));
  }

  bool draws_random_numbers() const override { return true; }
  bool works_in_ranks() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    distributed::Ranks& ranks = cli::prepare_ranks(common_);
    if (!run_.empty() && infer::is_matcher_run(run_)) {
      cli::require_single_process(ranks, "the compilation of a matcher");
      return compile_matcher();
    }
    if (!matcher_.pairs.empty() || matcher_.iterations)
      throw base::UsageError("--pairs and --iterations are for runs of a matcher",
                             "leave them out");
    const compile::CompileConfig config = resolve();
    if (dump(config)) return;
    if (run_.empty()) cli::require_single_process(ranks, "--activations");
    cli::require_same_command(ranks, config);
    cli::OutputFolder folder(common_);
    const base::Stopwatch watch;
    cli::RunHeader header(common_, "asap-compile", config.seed);
    cli::describe_ranks(ranks, common_.threads, header);
    header.add_run(run_);
    const std::unique_ptr<compile::ActivationSource> source = open_source(config, header);
    header.add("operator", describe_operator(config, source->teacher().layers));
    if (!source->teacher().skipped.empty()) header.add("skipped", source->teacher().skipped);
    cli::ProgressBar bar(
        common_, {.title = "compile", .item = "examples", .total = compile::compile_steps(config)});
    const compile::CompiledModel model =
        compile::compile_heads(*source, config, {common_.threads, ranks},
                               [&](std::int64_t done, std::int64_t) { bar.update(done); });
    bar.finish();
    if (!ranks.leads()) return;
    folder.begin();
    compile::save_operator(common_.out, compile::make_artefact(model, source->teacher()));
    folder.finish(compile::compile_summary(model, source->teacher()),
                  result_text(model, source->teacher().iterations, watch.seconds()));
  }

 private:
  void add_matcher(CLI::App& program) {
    const std::string group = "Matchers (model.kind=matcher)";
    program
        .add_option("--pairs", matcher_.pairs,
                    "File of pairs of keypoints to compile from; default: data.train of the run")
        ->type_name("FILE")
        ->group(group);
    program
        .add_option("--iterations", matcher_.iterations,
                    "Iterations T of the transport to imitate; default: those of the training")
        ->type_name("T")
        ->check(CLI::Range(1, 10000))
        ->group(group);
  }

  void compile_matcher() {
    matcher_.run = run_;
    if (program_->count("--calibration") > 0) {
      matcher_.calibration = base::parse_number<int>(flags_.at("--calibration"));
      if (!matcher_.calibration || *matcher_.calibration < 1)
        throw base::UsageError(
            "--calibration: '" + flags_.at("--calibration") + "' is not a number of pairs",
            "give a whole number, 1 or more");
    }
    compile_matcher_run(common_, matcher_);
  }

  compile::CompileConfig resolve() {
    compile::CompileConfig config = cli::resolve_config(common_, default_config(run_));
    for (const FieldFlag& field : kFields)
      if (program_->count(field.name) > 0)
        compile::set_from_text(config, field.key, flags_.at(field.name), field.name);
    if (common_.seed) config.seed = *common_.seed;
    if (heads_ == 0) heads_ = config.activations.heads;
    config.activations.heads = std::max(heads_, 1);
    config.validate(cli::config_source(common_));
    return config;
  }

  /// Answers --dump-config. Without a run the data stay open: each run has its own. The number of
  /// heads stays open until it is stated.
  bool dump(const compile::CompileConfig& config) const {
    io::Json json = config::to_json(config);
    if (run_.empty()) json.erase("data");
    if (heads_ == 0) json["activations"].erase("heads");
    return cli::dump_json(common_, json, config::to_json(default_config(run_)));
  }

  std::unique_ptr<compile::ActivationSource> open_source(const compile::CompileConfig& config,
                                                         cli::RunHeader& header) const {
    if (!run_.empty()) {
      auto source = std::make_unique<compile::RunActivations>(
          run_, config, distributed::Workers(common_.threads, distributed::joined_job()));
      header.add("data", source->teacher().source);
      return source;
    }
    if (activations_.empty())
      throw base::UsageError("--run is required", "name the folder asap-train wrote: --run RUN");
    if (config.imitated_iterations())
      throw base::UsageError(
          "--teacher is for --run: captured activations bring a teacher of their own",
          "say what it is with --set activations.iterations=T");
    compile::ActivationsConfig teacher = config.activations;
    teacher.heads = heads_;
    compile::Activations activations = compile::read_activations(activations_, teacher);
    compile::require_live_examples(activations, config);
    header.add("data", activations.source)
        .add("read as", activations.file_form)
        .add("activations", describe_activations(activations, config));
    return std::make_unique<compile::ResidentActivations>(std::move(activations));
  }

  cli::CommonOptions common_;
  const CLI::App* program_ = nullptr;  // knows which flags were given
  std::filesystem::path run_, activations_;
  int heads_ = 0;                             // of --activations; 0: not stated
  std::map<std::string, std::string> flags_;  // by name: "--slices"
  MatcherCompileOptions matcher_;
};

}  // namespace

std::unique_ptr<cli::Command> compile_command() { return std::make_unique<CompileCommand>(); }

}  // namespace asap::asap_compile
