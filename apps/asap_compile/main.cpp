// asap-compile: replaces the Sinkhorn iterations of a trained model by a fitted closed form.
#include "base/format.h"
#include "base/text.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "cli/config.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "cli/summary.h"
#include "compile/calibration.h"
#include "compile/compile_report.h"
#include "config/run_folder.h"

using namespace asap;

namespace {

/// A flag that stands for one key of the configuration, as text: --slices 4.
struct FieldFlag {
  const char *name, *key, *value, *help;
};
constexpr FieldFlag kFields[] = {
    {"--teacher", "teacher", "NAME",
     "Attention to imitate: own, or sinkhorn:T on a softmax network's scores"},
    {"--slices", "slices", "L", "Directions on which 1D transport is solved"},
    {"--slice-kind", "slice_kind", "canonical|random",
     "Directions from the calibration examples, or random"},
    {"--features", "features", "LIST",
     "What the dual is predicted from, comma-separated: any of pot, gau, lin, tilt, lse"},
    {"--objective", "objective", "ridge|kl|output|dual",
     "What is fitted: the dual, the plan, the output, or the entropic dual without a teacher"},
    {"--calibration", "calibration", "N", "Unlabelled examples to fit on"}};

void add_options(CLI::App& app, std::filesystem::path& run, std::filesystem::path& activations,
                 std::map<std::string, std::string>& flags) {
  CLI::Option* run_option =
      app.add_option("--run", run, "Folder of a training run")->type_name("DIR")->group("Input");
  app.add_option("--activations", activations, "Or captured queries and keys (safetensors)")
      ->type_name("FILE")
      ->excludes(run_option)
      ->group("Input");
  const std::vector<config::FieldDescription> keys = config::list_fields(compile::CompileConfig{});
  for (const FieldFlag& field : kFields)
    cli::show_default(app.add_option(field.name, flags[field.name], field.help), keys, field.key)
        ->type_name(field.value)
        ->group("Operator");
}

/// The line on what is fitted.
std::string describe_operator(const compile::CompileConfig& config) {
  return std::to_string(config.slices) + " slices, features " + base::join(config.features, ",") +
         ", fitted on " + base::format_count(config.calibration) + " examples";
}

/// Bytes of captured queries, keys and values.
std::int64_t size_of(const compile::Activations& activations) {
  std::int64_t values = 0;
  for (const compile::LayerActivations& layer : activations.layers)
    values += layer.queries.size() + layer.keys.size() + layer.values.size();
  return values * static_cast<std::int64_t>(sizeof(float));
}

std::string result_text(const compile::CompiledModel& model, double seconds) {
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
  return table.text() + "measured on " + base::format_count(model.held_out_examples) +
         " examples that the fit has not seen; " + base::format_seconds(seconds) + "\n";
}

/// The defaults, with the data of the run if one is named.
compile::CompileConfig default_config(const std::filesystem::path& run_folder) {
  compile::CompileConfig config;
  if (!run_folder.empty()) config.data = config::RunFolder(run_folder).read_config().data;
  return config;
}

compile::Activations load_activations(const std::filesystem::path& run_folder,
                                      const std::filesystem::path& file,
                                      const compile::CompileConfig& config, int threads) {
  if (!run_folder.empty()) return compile::capture_run(run_folder, config, threads);
  if (file.empty())
    throw base::UsageError("--run is required", "name the folder asap-train wrote: --run RUN");
  if (config.imitated_iterations())
    throw base::UsageError(
        "--teacher is for --run: captured activations bring a teacher of their own",
        "say what it is with --set activations.iterations=T");
  return compile::read_activations(file, config.activations);
}

/// Answers --dump-config. Without a run the data stay open: each has its own.
bool dump(const cli::CommonOptions& common, const compile::CompileConfig& config,
          const std::filesystem::path& run) {
  io::Json json = config::to_json(config);
  if (run.empty()) json.erase("data");
  return cli::dump_json(common, json, config::to_json(default_config(run)));
}

void run(const cli::Arguments& arguments) {
  cli::CommonOptions common;
  std::filesystem::path run_folder, activations_file;
  std::map<std::string, std::string> flags;
  CLI::App app("Compile doubly stochastic attention: fit the dual that Sinkhorn would iterate to.");
  add_options(app, run_folder, activations_file, flags);
  cli::add_common_options(app, common, "asap-compile",
                          "asap-compile --run runs/fashion --out runs/op");
  arguments.parse(app, {{&app, config::list_fields(compile::CompileConfig{})}});
  cli::configure_logging(common);

  compile::CompileConfig config = cli::resolve_config(common, default_config(run_folder));
  for (const auto& [name, text] : flags)
    if (app.count(name) > 0) compile::set_from_flag(config, name, text);
  if (common.seed) config.seed = *common.seed;
  config.validate(common.config.empty() ? "configuration" : common.config.string());
  if (dump(common, config, run_folder)) return;
  common.required_out();

  const base::Stopwatch watch;
  cli::RunHeader header(common, "asap-compile", config.seed);
  header.add_run(run_folder).add("operator", describe_operator(config));
  const compile::Activations activations =
      load_activations(run_folder, activations_file, config, common.threads);
  header.add("data", activations.source)
      .add("memory", base::format_bytes(size_of(activations)) + " of queries, keys and values");
  cli::ProgressBar bar(common, {.title = "compile",
                                .item = "heads",
                                .total = std::ssize(activations.layers) * activations.heads});
  const compile::CompiledModel model =
      compile::compile_heads(activations, config, common.threads,
                             [&](std::int64_t done, std::int64_t) { bar.update(done); });
  bar.finish();
  compile::save_operator(common.out, compile::make_artefact(model, activations, config));
  cli::finish_with_summary(common, compile::compile_summary(model, activations, config),
                           result_text(model, watch.seconds()));
}

}  // namespace

int main(int argc, char** argv) { return cli::run_main("asap-compile", argc, argv, run); }
