#include "asap_eval/commands.h"
#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "bundle/bundle_file.h"
#include "cli/options.h"
#include "cli/summary.h"
#include "evaluate/compare/stored_cascade.h"

namespace asap::asap_eval {
namespace {

class BundleCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* command = program.add_subcommand(
        "bundle",
        "Write one file with the weights, the compiled operator, the tokenizer, the class names "
        "and the configuration of a trained network.");
    command->add_option("--run", run_, "Run folder of asap-train")->type_name("DIR")->required();
    CLI::Option* compiled =
        command->add_option("--compiled", compiled_, "Operator folder of asap-compile")
            ->type_name("DIR");
    cascade_option_ =
        command
            ->add_option("--cascade", cascade_,
                         "Also keep the margin below which the teacher runs an example again, for "
                         "the cascade of compare and predict: at most this share of the training "
                         "examples that choose it; without a value .05")
            ->type_name("SHARE")
            ->expected(0, 1)
            ->check(cli::number_in(config::between(0, 1)))
            ->needs(compiled);
    cli::add_common_options(
        *command, common_, "asap-eval",
        "asap-eval bundle --run runs/fashion --compiled runs/operator --out fashion.safetensors");
    command->get_option("--out")->type_name("FILE")->description(
        "The file to write, in the format safetensors");
    command->get_option("--overwrite")->description("Replace another bundle at --out");
    return command;
  }

  void run() override {
    cli::configure_logging(common_);
    const std::filesystem::path& out = common_.out;
    if (out.empty() || std::filesystem::is_directory(out))
      throw base::UsageError("--out needs the name of a file", "--out model.safetensors");
    const std::string bytes = bundle::make_bundle(run_, compiled_, cascade());
    const bundle::TrainedModel model = bundle::parse_bundle(bytes, out.string());
    refuse_to_replace(bytes);
    if (out.has_parent_path()) base::make_directories(out.parent_path());
    base::write_file_atomically(out, bytes);
    const io::Json summary = {{"file", out.string()},
                              {"bytes", bytes.size()},
                              {"version", bundle::kBundleVersion},
                              {"model", config::describe_model(model.config.model)},
                              {"model_fingerprint", model.encoder.fingerprint()},
                              {"classes", model.class_names},
                              {"compiled", model.compiled.has_value()},
                              {"cascade", model.cascade.has_value()},
                              {"tokenizer", model.codec != nullptr}};
    cli::print_summary(common_, summary,
                       out.string() + ": " + config::describe_model(model.config.model) + ", " +
                           base::counted(std::ssize(model.class_names), "class", "classes") +
                           (model.compiled ? ", compiled operator" : "") +
                           (model.cascade ? ", cascade" : "") + (model.codec ? ", tokenizer" : "") +
                           ", " + base::format_bytes(std::ssize(bytes)) + "\n");
  }

 private:
  /// UsageError where --out is another file that is no bundle, or one without --overwrite.
  void refuse_to_replace(const std::string& bytes) const {
    if (!std::filesystem::exists(common_.out)) return;
    const std::string there = base::read_file(common_.out);
    if (there == bytes) return;
    const std::string name = "--out '" + common_.out.string() + "' ";
    if (!bundle::is_bundle(there))
      throw base::UsageError(name + "is a file that is no bundle", "choose another name");
    if (!common_.overwrite)
      throw base::UsageError(name + "is another bundle",
                             "choose another name, or replace it with --overwrite");
  }

  /// The cascade of the compiled operator, if one is wanted.
  std::optional<bundle::StoredCascade> cascade() const {
    if (cascade_option_->count() == 0) return std::nullopt;
    evaluate::CascadeConfig config;
    if (cascade_) config.share = *cascade_;
    const bundle::TrainedModel model = bundle::load_run(run_, compiled_);
    const evaluate::Method method{evaluate::MethodKind::compiled};
    return bundle::StoredCascade{
        method.name(), config.share,
        evaluate::run_threshold(model, run_, method, config, common_.threads)};
  }

  cli::CommonOptions common_;
  std::filesystem::path run_, compiled_;
  CLI::Option* cascade_option_ = nullptr;
  std::optional<double> cascade_;
};

}  // namespace

std::unique_ptr<cli::Command> bundle_command() { return std::make_unique<BundleCommand>(); }

}  // namespace asap::asap_eval
