// Networks and operators as C99: exported, compiled by the compilers of the system, and compared.
#include <cmath>
#include <cstdlib>
#include <sstream>

#include <doctest/doctest.h>

#include "base/random.h"
#include "cli/process.h"
#include "io/safetensors.h"
#include "support/image_folders.h"
#include "support/text_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Compilers that are installed, of gcc and clang, with options.
Words installed_compilers(const std::string& options = "-O0") {
  Words found;
  for (const std::string name : {"gcc", "clang"})
    if (std::system((name + " --version > /dev/null 2>&1").c_str()) == 0)
      found.push_back(name + " " + options);
  return found;
}

/// Compiles FOLDER/NAME.c and a main program that reads its declarations, as strict C99, and
/// returns the numbers that the program prints.
std::vector<double> numbers_of(const Workspace& work, const fs::path& code, const std::string& main,
                               const std::string& compiler) {
  write_file_atomically(work / "main.c", main);
  const std::string program = work / "program", printed = work / "printed";
  const std::string command = compiler + " -std=c99 -Wall -Wextra -Werror -pedantic -I " +
                              code.parent_path().string() + " -o " + program + " " +
                              (work / "main.c").string() + " " + code.string() + " -lm && " +
                              program + " > " + printed;
  REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);
  std::istringstream stream(read_file(printed));
  std::vector<double> numbers;
  for (double number; stream >> number;) numbers.push_back(number);
  return numbers;
}

/// The first probability of every answer of predict: that of the class it names.
struct Answer {
  std::string name;
  double probability;
};
std::vector<Answer> answers_of(const fs::path& file) {
  std::istringstream lines(read_file(file));
  std::vector<Answer> answers;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    answers.push_back({json["class"], json["probability"].get<double>()});
  }
  return answers;
}

/// Compares logits [examples, classes] with the answers of predict.
void check_answers(const std::vector<double>& logits, const std::vector<Answer>& answers,
                   const std::vector<std::string>& classes) {
  REQUIRE(logits.size() == answers.size() * classes.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    double total = 0, likely = 0;
    std::size_t best = 0;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const double logit = logits[i * classes.size() + c];
      total += std::exp(logit);
      if (logit > logits[i * classes.size() + best]) best = c;
    }
    likely = std::exp(logits[i * classes.size() + best]) / total;
    CHECK(classes[best] == answers[i].name);
    CHECK(std::abs(likely - answers[i].probability) < 1e-5);
  }
}

Outcome export_c(const fs::path& run_folder, const fs::path& out, const Words& more = {}) {
  return run(
      "asap-eval",
      Words{"export", "--run", run_folder.string(), "--format", "c", "--out", out.string()} + more);
}

/// Operators in float, on every machine: predict computes layers in bfloat16 that C has in float.
const Words kWithoutBfloat16{"--simd", "avx3"};

Outcome predict_jsonl(const Workspace& work, const std::string& method, const fs::path& input,
                      const fs::path& out) {
  return run("asap-eval", {"predict", "--run", work / "run", "--compiled", work / "operator",
                           "--method", method, "--input", input.string(), "--out", out.string()});
}

}  // namespace

TEST_CASE("an image network in C gives the answers of predict") {
  const Workspace work;
  write_red_and_blue(work / "data", 9);
  fs::create_directories(work / "new");
  std::string pixels;  // of the test images, in the order of their names
  for (std::uint32_t i = 0; i < 9; ++i) {
    const Image image = red_or_blue("test", i);
    write_file_atomically(work / "new" / (std::to_string(i) + ".png"), png_file(image));
    for (const auto pixel : image.pixels) pixels += std::to_string(int{pixel}) + ",";
  }
  REQUIRE(train(work / "run", {"--set", "data.kind=image_folders", "--set",
                               "data.path=" + (work / "data").string()})
              .code == 0);
  REQUIRE(run("asap-compile", Words{"--run", work / "run", "--out", work / "operator",
                                    "--calibration", "24", "--set", "held_out=8"} +
                                  kWithoutBfloat16)
              .code == 0);
  for (const std::string method : {"teacher", "compiled"}) {
    CAPTURE(method);
    const Outcome exported = export_c(
        work / "run", work / method,
        {"--compiled", work / "operator", "--method", method, "--name", "colours", "--json"});
    REQUIRE_MESSAGE(exported.code == 0, exported.error);
    CHECK(Json::parse(exported.out)["file"] == "colours.c");
    REQUIRE(predict_jsonl(work, method, work / "new", work / ("answers_" + method)).code == 0);
    const std::string main =
        "#define COLOURS_DECLARATIONS_ONLY\n#include \"colours.c\"\n#include <stdio.h>\n"
        "#include <stdlib.h>\nstatic const float pixels[] = {" +
        pixels +
        "};\nint main(void) {\n  float logits[9 * COLOURS_CLASSES];\n"
        "  float *scratch = malloc(COLOURS_SCRATCH_FLOATS * sizeof *scratch);\n  int i;\n"
        "  colours_forward(pixels, 9, logits, scratch);\n"
        "  for (i = 0; i < 9 * COLOURS_CLASSES; ++i) printf(\"%.9g\\n\", (double)logits[i]);\n"
        "  free(scratch);\n  return 0;\n}\n";
    for (const std::string& compiler : installed_compilers())
      check_answers(numbers_of(work, work / method / "colours.c", main, compiler),
                    answers_of(work / ("answers_" + method) / "predictions.jsonl"),
                    {"blue", "red"});
  }
}

TEST_CASE("a text network in C gives the answers of predict") {
  const Workspace work;
  write_text_folder(work / "data");
  Words words{"--out", work / "run", "--set", "data.path=" + (work / "data").string()};
  for (const char* assignment :
       {"data.kind=text", "model.kind=text", "data.text.tokenizer=bytes", "data.text.max_tokens=40",
        "model.width=16", "model.heads=2", "model.layers=2", "model.attention.iterations=4",
        "train.batch=16", "train.epochs=1"})
    words = words + Words{"--set", assignment};
  REQUIRE(run("asap-train", words).code == 0);
  REQUIRE(compile(work / "run", work / "operator", kWithoutBfloat16).code == 0);
  write_file_atomically(work / "new.txt", "kind film\ncold dull plot\na warm actor\n");
  REQUIRE(predict_jsonl(work, "compiled", work / "new.txt", work / "answers").code == 0);
  REQUIRE(export_c(work / "run", work / "c", {"--compiled", work / "operator"}).code == 0);
  const std::vector<std::string> classes =
      read_json(work / "c/summary.json")["classes"].get<std::vector<std::string>>();
  const std::string main = R"(#define NETWORK_DECLARATIONS_ONLY
#include "network.c"
#include <stdio.h>
#include <string.h>
static float scratch[NETWORK_SCRATCH_FLOATS(20)];
int main(void) {
  const char *texts[] = {"kind film", "cold dull plot", "a warm actor"};
  int ids[3 * 20] = {0}, lengths[3], i, k;
  float logits[3 * NETWORK_CLASSES];
  for (i = 0; i < 3; ++i) {
    lengths[i] = (int)strlen(texts[i]);
    for (k = 0; k < lengths[i]; ++k) ids[20 * i + k] = texts[i][k] + 1; /* of bytes */
  }
  if (network_forward(ids, lengths, 3, 20, logits, scratch) != 0) return 1;
  for (i = 0; i < 3 * NETWORK_CLASSES; ++i) printf("%.9g\n", (double)logits[i]);
  return strlen(network_class_names[0]) == 0;
}
)";
  for (const std::string& compiler : installed_compilers())
    check_answers(numbers_of(work, work / "c/network.c", main, compiler),
                  answers_of(work / "answers/predictions.jsonl"), classes);
}

TEST_CASE("an operator without a network becomes one file of C") {
  const Workspace work;
  TensorFile file;
  RandomStream random(66, RandomPurpose::test);
  for (const char* name : {"q", "k"}) {
    asap::tensor::Tensor<float> values({96, 2, 6, 4});
    for (float& value : values.flat()) value = static_cast<float>(random.normal());
    file.put(name, values);
  }
  write_safetensors(work / "qk.safetensors", file);
  REQUIRE(run("asap-compile",
              {"--activations", work / "qk.safetensors", "--out", work / "operator",
               "--calibration", "64", "--set", "held_out=32", "--features", "lin,tilt,lse"})
              .code == 0);
  const Outcome exported = run("asap-eval", {"export", "--operator", work / "operator", "--format",
                                             "c", "--out", work / "c", "--json"});
  REQUIRE_MESSAGE(exported.code == 0, exported.error);
  CHECK(Json::parse(exported.out)["heads"] == 2);
  // Rows of a plan sum to 1, so equal values stay as they are, and there is no second layer.
  const std::string main = R"(#define ATTENTION_DECLARATIONS_ONLY
#include "attention.c"
#include <stdio.h>
static float scratch[ATTENTION_SCRATCH_FLOATS(7)];
int main(void) {
  float q[5 * ATTENTION_WIDTH], k[7 * ATTENTION_WIDTH], v[7 * ATTENTION_WIDTH];
  float out[5 * ATTENTION_WIDTH];
  int i;
  for (i = 0; i < 5 * ATTENTION_WIDTH; ++i) q[i] = (float)(i % 11) / 5;
  for (i = 0; i < 7 * ATTENTION_WIDTH; ++i) {
    k[i] = (float)(i % 13) / 6;
    v[i] = (float)(i % ATTENTION_WIDTH);
  }
  printf("%d\n", attention_attend(1, q, 5, k, v, 7, out, scratch));
  printf("%d\n", attention_attend(0, q, 5, k, v, 7, out, scratch));
  for (i = 0; i < 5 * ATTENTION_WIDTH; ++i) printf("%.9g\n", (double)out[i]);
  return 0;
}
)";
  for (const std::string& compiler : installed_compilers("-O3")) {  // which warns most
    const std::vector<double> numbers = numbers_of(work, work / "c/attention.c", main, compiler);
    REQUIRE(numbers.size() == 2 + 5 * 8);
    CHECK(numbers[0] == -1);
    CHECK(numbers[1] == 0);
    for (std::size_t i = 0; i < 40; ++i)
      CHECK(numbers[2 + i] == doctest::Approx(static_cast<double>(i % 8)).epsilon(1e-5));
  }
}

TEST_CASE("what cannot be written as C is refused in the user's words, and nothing is written") {
  const Workspace work;
  REQUIRE(train(work / "run", {"--max-steps", "1"}).code == 0);
  REQUIRE(train(work / "slack", {"--max-steps", "1", "--set", "model.attention.slack=fixed",
                                 "--set", "model.attention.slack_start=1"})
              .code == 0);
  const fs::path out = work / "c";
  check_refusal(export_c(work / "run", out, {"--method", "teacher_log"}), 2,
                {"--method teacher_log"});
  check_refusal(export_c(work / "run", out, {"--method", "compiled"}), 2, {"--compiled DIR"});
  check_refusal(export_c(work / "run", out, {"--name", "my net"}), 2, {"--name 'my net'"});
  check_refusal(export_c(work / "slack", out, {"--method", "f0"}), 2, {"layer 0", "slack"});
  check_refusal(
      run("asap-eval", {"export", "--run", work / "run", "--name", "net", "--out", out.string()}),
      2, {"--name", "--format c"});
  check_refusal(run("asap-eval", {"export", "--operator", work / "none", "--out", out.string()}), 2,
                {"--operator", "--format c"});
  check_refusal(run("asap-eval", {"export", "--operator", work / "none", "--format", "c", "--out",
                                  out.string()}),
                3, {"none"});
  CHECK(run("asap-eval",
            {"export", "--operator", work / "none", "--run", work / "run", "--out", out.string()})
            .code == 2);
  check_refusal(
      run("asap-eval", {"export", "--run", work / "run", "--format", "pdf", "--out", out.string()}),
      2, {"--format"});
  CHECK_FALSE(fs::exists(out));
  // Slack in the loop is written.
  CHECK(export_c(work / "slack", out).code == 0);
}
