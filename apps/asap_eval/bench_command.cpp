#include "asap_eval/commands.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "evaluate/bench/profile_bench.h"
#include "evaluate/bench/transport_bench.h"
#include "evaluate/report/bench_report.h"

namespace asap::asap_eval {
namespace {

/// 64, 128, ..., 16384: where the growth of costs shows.
std::vector<int> scaling_sizes() {
  std::vector<int> sizes;
  for (int size = 64; size <= 16384; size *= 2) sizes.push_back(size);
  return sizes;
}

std::string form_list() {
  std::vector<std::string> names;
  for (const evaluate::AttentionForm& form : evaluate::attention_forms())
    names.emplace_back(form.name);
  return "all, or some of " + base::join(names, ", ") +
         "; default: all are measured, and the main four printed";
}

class BenchCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* bench = program.add_subcommand(
        "bench",
        "Time, memory and accuracy of every form of attention, interleaved on the same heads.");
    const std::string group = "Measurement";
    CLI::Option* sizes = bench->add_option("--sizes", sizes_, "Tokens of a head, ascending");
    sizes->type_name("LIST")->delimiter(',')->allow_extra_args(false)->group(group);
    bench->add_flag("--scaling", scaling_, "Use the sizes 64, 128, ..., 16384")
        ->excludes(sizes)
        ->group(group);
    bench->add_option("--forms", forms_, form_list())
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->group(group);
    const std::vector<config::FieldDescription> defaults = keys();
    const auto number = [&](const char* name, auto& value, const char* key, const char* help) {
      return cli::show_default(bench->add_option(name, value, help), defaults, key)->group(group);
    };
    cli::show_default(sizes, defaults, "sizes");
    number("--head-width", head_width_, "head_width", "Width of queries, keys and values")
        ->type_name("D");
    number("--iterations", iterations_, "iterations", "Sinkhorn iterations")->type_name("T");
    number("--slices", slices_, "slices", "Slices of the compiled operator and espformer")
        ->type_name("L");
    number("--heads", heads_, "heads", "Independent heads in a round; 0: fewer for larger sizes")
        ->type_name("N");
    number("--rounds", rounds_, "rounds", "Rounds, each with every form on fresh data")
        ->type_name("N");
    number("--logit-range", logit_range_, "logit_range", "Median range of a head's scores")
        ->type_name("R");
    CLI::Option* transport = bench->add_flag(
        "--transport", transport_,
        "Instead, time the transport of matchers, from --sizes descriptors on either side to its "
        "duals, on one thread: loops of T iterations and compiled forms");
    transport->group(group);
    bench
        ->add_flag(
            "--profile", profile_,
            "Instead, measure a machine profile for asap-compile --profile: DIR/profile.json")
        ->excludes(sizes)
        ->excludes(transport)
        ->group(group);
    bench->add_flag("--figures", figures_,
                    "Also draw time by number of tokens for papers in figures/, as SVG and PNG "
                    "(needs gnuplot)");
    cli::add_common_options(
        *bench, common_, "asap-eval",
        "asap-eval bench --sizes 196,512,1024 --head-width 64 --out runs/bench");
    return bench;
  }

  std::vector<config::FieldDescription> keys() const override {
    return config::list_fields(evaluate::BenchConfig{});
  }

  bool draws_random_numbers() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    const evaluate::BenchConfig config = resolve();
    if (cli::dump_config(common_, config)) return;
    config.validate();
    cli::OutputFolder folder(common_);
    if (profile_) return run_profile(config, folder);
    if (transport_) return run_transport(config, folder);
    const std::filesystem::path& out = folder.path();
    cli::RunHeader header(common_, "asap-eval bench", config.seed);
    std::vector<std::string> sizes;
    for (const int size : config.sizes) sizes.push_back(std::to_string(size));
    header.add("tokens", base::join(sizes, ", "))
        .add("head width", std::to_string(config.head_width))
        .add("iterations", std::to_string(config.iterations));

    if (figures_) evaluate::require_gnuplot();
    const evaluate::PlotLibrary library = evaluate::find_plot_library();

    cli::ProgressBar bar(common_, {.title = "bench", .item = "rounds"});
    const evaluate::BenchResult result = evaluate::run_attention_bench(
        config, common_.threads, [&](std::int64_t done, std::int64_t total) {
          bar.set_total(total);
          bar.update(done);
        });
    bar.finish();
    folder.begin();
    const bool drawn = evaluate::write_bench_report(out, config, result, library);
    if (figures_) evaluate::draw_paper_figures(out / "figures", evaluate::bench_figures(result));
    std::string text = evaluate::bench_text(config, result);
    if (drawn) text += "picture: " + (out / "scaling.svg").string() + "\n";
    text += "report: " + (out / "report.html").string() + "\n";
    folder.finish(evaluate::bench_summary(config, result), text);
  }

 private:
  void run_profile(const evaluate::BenchConfig& config, cli::OutputFolder& folder) {
    const cli::RunHeader header(common_, "asap-eval bench --profile", config.seed);
    evaluate::ProfileSettings settings;
    settings.seed = config.seed;
    cli::ProgressBar bar(common_, {.title = "bench", .item = "sizes"});
    const evaluate::MeasuredProfile measured =
        evaluate::measure_profile(settings, [&](std::int64_t done, std::int64_t total) {
          bar.set_total(total);
          bar.update(done);
        });
    bar.finish();
    folder.begin();
    const std::filesystem::path file = folder.path() / "profile.json";
    io::write_json(file, compile::profile_json(measured.profile));
    folder.finish(evaluate::profile_summary(settings, measured),
                  evaluate::profile_text(measured) + "profile: " + file.string() + "\n");
  }

  void run_transport(const evaluate::BenchConfig& bench, cli::OutputFolder& folder) {
    if (!forms_.empty() || heads_ || slices_ || logit_range_ || scaling_ || figures_)
      throw base::UsageError(
          "--transport takes none of --forms, --heads, --slices, --logit-range, --scaling and "
          "--figures",
          "leave them out");
    const cli::RunHeader header(common_, "asap-eval bench --transport", bench.seed);
    const evaluate::TransportBenchConfig config{.sizes = bench.sizes,
                                                .width = bench.head_width,
                                                .iterations = bench.iterations,
                                                .rounds = bench.rounds,
                                                .seed = bench.seed};
    cli::ProgressBar bar(common_, {.title = "bench", .item = "rounds"});
    const auto rows =
        evaluate::run_transport_bench(config, [&](std::int64_t done, std::int64_t total) {
          bar.set_total(total);
          bar.update(done);
        });
    bar.finish();
    folder.begin();
    folder.finish(evaluate::transport_bench_summary(config, rows),
                  evaluate::transport_bench_text(rows));
  }

  evaluate::BenchConfig resolve() const {
    evaluate::BenchConfig config;
    if (scaling_) config.sizes = scaling_sizes();
    config = cli::resolve_config(common_, config);
    if (!sizes_.empty()) config.sizes = sizes_;
    if (!forms_.empty()) config.forms = forms_;
    const auto set = [&](const char* field, const auto& flag) {
      if (flag)
        config::set_field(
            config, std::string(field) + "=" + base::format_number(static_cast<double>(*flag)));
    };
    set("head_width", head_width_);
    set("iterations", iterations_);
    set("slices", slices_);
    set("heads", heads_);
    set("rounds", rounds_);
    set("logit_range", logit_range_);
    if (common_.seed) config.seed = *common_.seed;
    return config;
  }

  cli::CommonOptions common_;
  std::vector<int> sizes_;
  std::vector<std::string> forms_;
  std::optional<int> head_width_, iterations_, slices_, heads_, rounds_;
  std::optional<double> logit_range_;
  bool scaling_ = false, figures_ = false, profile_ = false, transport_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> bench_command() { return std::make_unique<BenchCommand>(); }

}  // namespace asap::asap_eval
