#include "base/files.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "cli/progress.h"
#include "cli/run_header.h"
#include "region/run/fit_bench.h"
#include "relu_fit/commands.h"
#include "relu_fit/target_flags.h"

namespace asap::relu_fit {
namespace {

class BenchCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* bench =
        app.add_subcommand("bench", "Compare methods on the paper's targets over many seeds.");
    bench
        ->add_option("--targets", config_.targets,
                     "x3, x11, x3-10, x11-10, sin-10, tanh-10, all, or formulas; comma-separated")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    bench
        ->add_option("--methods", methods_,
                     "kaiming, raai, skip, free, smooth, best (default: all)")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    bench->add_option("--seeds", config_.seeds, "Number of seeds per method")
        ->type_name("N")
        ->capture_default_str();
    bench->add_option("--depth", config_.depth, "Hidden layers")
        ->type_name("N")
        ->capture_default_str();
    bench->add_option("--interval", interval_.interval, "Interval of formulas (default: 0 1)")
        ->type_name("LO HI")
        ->expected(2);
    cli::add_common_options(*bench, common_, "relu-fit",
                            "relu-fit bench --targets x3,x11 --seeds 30 --out runs/bench");
    bench->get_option("--seed")->description("The first of the --seeds seeds");
    return bench;
  }

  bool draws_random_numbers() const override { return true; }

  void run() override {
    cli::configure_logging(common_);
    if (config_.targets.empty()) config_.targets = {"x3", "x11"};
    if (config_.targets == std::vector<std::string>{"all"}) {
      config_.targets.clear();
      for (const region::PaperTarget& target : region::paper_targets())
        config_.targets.emplace_back(target.name);
    }
    if (methods_.empty()) methods_ = region::method_names();
    for (const std::string& name : methods_)
      config_.methods.push_back(region::method_from_name(name));
    if (const auto bounds = interval_.bounds()) {
      config_.low = bounds->low;
      config_.high = bounds->high;
    }
    config_.threads = common_.threads;
    config_.first_seed = common_.seed.value_or(0);
    cli::OutputFolder folder(common_);
    cli::RunHeader(common_, "relu-fit bench", config_.first_seed)
        .add("targets", base::join(config_.targets, ", "))
        .add("methods", base::join(methods_, ", "))
        .add("seeds", std::to_string(config_.seeds));
    const auto total =
        static_cast<std::int64_t>(config_.targets.size() * config_.methods.size()) * config_.seeds;
    cli::ProgressBar bar(common_, {.title = "bench", .item = "fits", .total = total});
    const std::vector<region::BenchRow> rows =
        region::run_bench(config_, [&](std::int64_t done) { bar.update(done); });
    bar.finish();
    folder.begin();
    folder.finish(region::bench_summary(config_, rows), region::bench_text(config_, rows));
  }

 private:
  cli::CommonOptions common_;
  region::BenchConfig config_;
  TargetFlags interval_;
  std::vector<std::string> methods_;
};

}  // namespace

std::unique_ptr<cli::Command> bench_command() { return std::make_unique<BenchCommand>(); }

}  // namespace asap::relu_fit
