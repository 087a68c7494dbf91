#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output_folder.h"
#include "io/safetensors.h"
#include "region/network/export_c.h"
#include "region/network/export_onnx.h"
#include "region/network/network_file.h"
#include "relu_fit/commands.h"
#include "relu_fit/network_flag.h"

namespace asap::relu_fit {
namespace {

class ExportCommand : public cli::Command {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* command = app.add_subcommand("export", "Write a network in other formats.");
    add_network(*command, network_);
    command->add_option("--formats", formats_, "Formats to write: c, safetensors, json, onnx")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_option("--name", name_, "Function name in C, graph name in ONNX")
        ->type_name("NAME")
        ->capture_default_str();
    cli::add_common_options(
        *command, common_, "relu-fit",
        "relu-fit export --network runs/exp/network.json --formats c,onnx --out runs/code");
    return command;
  }

  void run() override {
    cli::OutputFolder folder(common_);
    const std::filesystem::path& out = folder.path();
    const region::StoredNetwork stored = region::read_network(network_);
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::string& format : formats_) files.push_back(render(stored, format));
    folder.begin();
    io::Json written = io::Json::array();
    std::string text;
    for (const auto& [file, content] : files) {
      base::write_file_atomically(out / file, content);
      written.push_back(file);
      text += (out / file).string() + "\n";
    }
    folder.finish({{"files", written}}, text);
  }

 private:
  std::pair<std::string, std::string> render(const region::StoredNetwork& stored,
                                             const std::string& format) const {
    if (format == "c")
      return {name_ + ".h", region::export_c_header(
                                stored, name_, "Network of " + network_.filename().string() + ".")};
    if (format == "safetensors")
      return {name_ + ".safetensors", io::serialise_safetensors(region::network_tensors(stored))};
    if (format == "json") return {name_ + ".json", io::format_json(region::network_json(stored))};
    if (format == "onnx") return {name_ + ".onnx", region::export_onnx(stored, name_)};
    const std::vector<std::string> known = {"c", "safetensors", "json", "onnx"};
    throw base::UsageError("unknown format '" + format + "'", base::suggestion(format, known));
  }

  cli::CommonOptions common_;
  std::filesystem::path network_;
  std::vector<std::string> formats_{"c"};
  std::string name_ = "relu_fit";
};

}  // namespace

std::unique_ptr<cli::Command> export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace asap::relu_fit
