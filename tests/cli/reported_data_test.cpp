// Data of the kinds that users of other tools reported: each trains as what it means, or is refused
// with what is wrong.
#include <algorithm>

#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/gzip.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kMark = "\xef\xbb\xbf";  // the byte order mark of UTF-8

/// Two steps of a tiny network on the data of a folder.
Outcome train_on(const std::string& data, const std::string& out, const Words& more) {
  Words words = {"--threads", "1", "--out", out, "--set", "data.path=" + data};
  for (const char* setting :
       {"model.width=8", "model.layers=1", "train.batch=8", "train.max_steps=2"})
    words = words + Words{"--set", setting};
  return run("asap-train", words + more);
}

const Words kTexts = {"--set",           "data.kind=text", "--set",
                      "model.kind=text", "--set",          "data.text.min_count=1"};
const Words kPoints = {"--set", "data.kind=points", "--set", "model.kind=set",
                       "--set", "data.classes=2"};

void add(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, bytes);
}

/// Trains on `bytes` as training and test part. The network's losses, or the last line of the
/// error when the exit code is 3.
std::string trained_on(const std::string& bytes, const Words& kind,
                       const std::string& name = "train.csv", const std::string& classes = "") {
  const Workspace work;
  add(work / "data" / name, bytes);
  add(work / "data/test.csv", kind == kTexts ? "0,word0 a\n1,word1 b\n" : "a,0,1,2\nb,1,2,1\n");
  if (!classes.empty()) add(work / "data/classes.txt", classes);
  const Outcome outcome = train_on(work / "data", work / "run", kind);
  if (outcome.code == 0) return read_file(work / "run/metrics.jsonl");
  CHECK(outcome.code == 3);
  CHECK_FALSE(fs::exists(work / "run"));
  return last_line(outcome.error);
}

/// 16 lines "0,word0 a b"; or other ends of lines and quotes.
std::string texts(const std::string& end = "\n", const std::string& quote = "") {
  std::string lines;
  for (int i = 0; i < 16; ++i) {
    const std::string label = std::to_string(i % 2);
    lines += quote + label + quote + "," + quote + "word" + label + " a b" + quote + end;
  }
  return lines;
}

/// 8 sets of 3 points of two classes, "s0,0,0.5,1.5".
std::string points(const std::string& separator = ",", const std::string& decimal = ".",
                   const std::string& end = "\n", const std::string& quote = "") {
  std::string lines;
  for (int set = 0; set < 8; ++set)
    for (int point = 0; point < 3; ++point) {
      lines += quote + "s" + std::to_string(set) + quote + separator + quote +
               std::to_string(set % 2) + quote + separator;
      lines += std::to_string(set % 2) + decimal + std::to_string(point) + separator +
               std::to_string(point) + decimal + "5" + end;
    }
  return lines;
}

/// Every line after a number, as pandas writes an index.
std::string with_index(const std::string& header, const std::string& lines) {
  std::string text = header + "\n";
  std::size_t begin = 0;
  for (int i = 0; begin < lines.size(); ++i) {
    const std::size_t end = lines.find('\n', begin) + 1;
    text += std::to_string(i) + "," + lines.substr(begin, end - begin);
    begin = end;
  }
  return text;
}

/// ASCII as UTF-16, without a mark.
std::string utf16(const std::string& text, bool little_endian) {
  std::string wide;
  for (const char byte : text)
    wide += little_endian ? std::string{byte, '\0'} : std::string{'\0', byte};
  return wide;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("byte order marks, ends of lines and quotes change no training on points") {
  const std::string plain = trained_on(points(), kPoints);
  REQUIRE(holds(plain, "loss"));
  for (const std::string& bytes :
       {kMark + points(), kMark + points(",", ".", "\n", "\""), points(",", ".", "\r\n"),
        points(",", ".", "\r"), points(";", ","), points("\t"),
        kMark + ("set,label,x,y\n" + points())})
    CHECK(trained_on(bytes, kPoints) == plain);
}

TEST_CASE("byte order marks, ends of lines and quotes change no training on texts") {
  const std::string plain = trained_on(texts(), kTexts);
  REQUIRE(holds(plain, "loss"));
  for (const std::string& bytes :
       {kMark + texts(), kMark + texts("\r\n", "\""), texts("\r"), texts("\r", "\"") + "\r\r",
        texts().substr(0, 48) + kMark + texts().substr(48)})
    CHECK(trained_on(bytes, kTexts) == plain);
  for (const std::string& classes :
       {"no\nyes\n" + std::string(), kMark + std::string("no\nyes\n"), std::string("no\ryes\r"),
        kMark + std::string("\"no\"\r\n\"yes\"\r\n"), kMark + std::string("0\tno\n1\tyes\n")})
    CHECK(trained_on(texts(), kTexts, "train.csv", classes) == plain);

  const Workspace work;
  add(work / "data/train.csv", "label,text\r0,word0 a b\r1,word1 a b\r");
  add(work / "data/test.csv", kMark + std::string("label,text\n0,word0 a b\n1,word1 a b\n"));
  CHECK(train_on(work / "data", work / "run",
                 kTexts + Words{"--set", "data.text.label_column=label", "--set", "train.batch=2",
                                "--set", "train.shard=1"})
            .code == 0);
}

TEST_CASE("packed files of several members train as their whole, and damaged ones are refused") {
  const std::string plain = trained_on(texts(), kTexts), half = texts().substr(0, 77);
  const std::string one = compress_gzip(half), two = compress_gzip(texts().substr(77));
  const std::string zeros(512, '\0');
  for (const std::string& bytes :
       {one + two, one + compress_gzip("") + two, compress_gzip("") + one + two, one + two + zeros,
        one + zeros + two})
    CHECK(trained_on(bytes, kTexts, "train.csv.gz") == plain);
  const std::string points_whole = compress_gzip(points().substr(0, 50));
  CHECK(trained_on(points_whole + compress_gzip(points().substr(50)) + zeros, kPoints,
                   "train.csv.gz") == trained_on(points(), kPoints));
  // IDX files, of which each is checked against the sizes that it states.
  const Workspace work;
  for (const std::string part : {"train", "t10k"}) {
    std::string images("\0\0\x08\x03\0\0\0\x20\0\0\0\x08\0\0\0\x08", 16);
    std::string labels("\0\0\x08\x01\0\0\0\x20", 8);
    for (int i = 0; i < 32 * 64; ++i) images += static_cast<char>(i * 7);
    for (int i = 0; i < 32; ++i) labels += static_cast<char>(i % 2);
    for (const auto& [name, bytes] :
         {std::pair("-images-idx3-ubyte", images), std::pair("-labels-idx1-ubyte", labels)}) {
      add(work / "idx" / (part + name), bytes);
      add(work / "packed" / (part + name + ".gz"),
          compress_gzip(bytes.substr(0, 5)) + compress_gzip(bytes.substr(5)) + zeros);
    }
  }
  const Words idx = {"--set", "data.kind=idx", "--set", "data.classes=2"};
  for (const char* folder : {"idx", "packed"})
    REQUIRE(train_on(work / folder, work / ("run-" + std::string(folder)), idx).code == 0);
  CHECK(read_file(work / "run-packed/metrics.jsonl") == read_file(work / "run-idx/metrics.jsonl"));

  const std::string appended = trained_on(one + two + "more", kTexts, "train.csv.gz");
  CHECK(holds(appended, "train.csv.gz: 4 unexpected bytes after the gzip stream (hint: "));
  CHECK(holds(trained_on(one + two.substr(0, 20), kTexts, "train.csv.gz"), "ends early"));
}

TEST_CASE("UTF-16 and UTF-32 are named with the conversion that reads them") {
  const auto refused = [](const std::string& bytes, const Words& kind, const std::string& from,
                          const std::string& classes = "") {
    const std::string line = trained_on(bytes, kind, "train.csv", classes);
    CHECK_MESSAGE(holds(line, "iconv -f " + from + " -t utf-8"), line);
  };
  refused("\xff\xfe" + utf16(texts(), true), kTexts, "utf-16");
  refused("\xfe\xff" + utf16(texts(), false), kTexts, "utf-16");
  refused(utf16(texts(), true), kTexts, "utf-16le");
  refused("\xff\xfe" + utf16(points(), true), kPoints, "utf-16");
  refused(texts(), kTexts, "utf-16", "\xff\xfe" + utf16("no\nyes\n", true));
  const Workspace work;
  add(work / "c.json", "\xff\xfe" + utf16("{}", true));
  const Outcome outcome = run("asap-train", {"--config", work / "c.json", "--dump-config"});
  CHECK(outcome.code == 3);
  CHECK(holds(outcome.error, "c.json: the text is utf-16"));
}

TEST_CASE("an index column is no label of texts without a warning, and no column of points") {
  const Workspace work;
  const std::vector<std::string> headers = {",label,text", "Unnamed: 0,label,text"};
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string data = work / ("data" + std::to_string(i));
    for (const char* part : {"/train.csv", "/test.csv"})
      add(data + part, with_index(headers[i], texts()));
    const Outcome index = train_on(data, work / ("index" + std::to_string(i)), kTexts);
    CHECK_MESSAGE(holds(index.error, "data.text.label_column"), index.error);
    const Words label = {"--set", "data.text.label_column=label", "--set",
                         "data.text.text_columns=[\"text\"]"};
    const Outcome named = train_on(data, work / ("named" + std::to_string(i)), kTexts + label);
    REQUIRE(named.code == 0);
    CHECK_FALSE(holds(named.error, "label_column"));
  }
  for (const char* header : {",set,label,x,y", "Unnamed: 0,set,label,x,y"})
    CHECK(holds(trained_on(with_index(header, points()), kPoints),
                "column 1 has no name; it may be an index"));
  std::string plain = with_index("", points()).substr(1);
  CHECK(holds(trained_on(plain, kPoints), "train.csv:1: label 's0' is not a whole number"));
}

TEST_CASE("data of a single class are refused, whatever holds them") {
  CHECK(holds(trained_on("s,0,1,2\nt,0,2,1\nu,0,1,1\n", kPoints), "all 3 examples have the label"));
  CHECK(holds(trained_on("0,a\n0,b\n0,a b\n", kTexts), "all texts have the label '0'"));
  const Workspace work;
  std::string records;
  for (int i = 0; i < 16; ++i) records += '\1' + std::string(3 * 64, static_cast<char>(i));
  for (const char* part : {"train.bin", "test.bin"}) add(work / "records" / part, records);
  const Words images = {"--set", "data.kind=image_records",  "--set", "data.classes=2",
                        "--set", "data.images.record_side=8"};
  const Outcome refused = train_on(work / "records", work / "a", images);
  CHECK(refused.code == 3);
  CHECK(holds(last_line(refused.error), "all 16 examples have the label 1"));
  const Outcome shifted = train(work / "b", {"--set", "data.shift.classes=[2]"});
  CHECK(shifted.code == 3);
  CHECK(holds(last_line(shifted.error), "examples have the label 2"));
  for (const char* run_folder : {"a", "b"}) CHECK_FALSE(fs::exists(work / run_folder));
}

TEST_CASE("hidden files and those of file managers are no texts and no classes") {
  const Workspace work;
  for (const std::string part : {"train", "test"}) {
    for (const std::string kind : {"neg", "pos"})
      for (int i = 0; i < 8; ++i)
        add(work / "data" / part / kind / (std::to_string(i) + ".txt"), kind + " a b");
    add(work / "data" / part / ".ipynb_checkpoints/0-checkpoint.txt", "a");
    add(work / "data" / part / ".git/x.txt", "a");
    for (const char* name : {".DS_Store", "Thumbs.db", "desktop.ini"}) {
      add(work / "data" / part / name, "x");
      add(work / "data" / part / "neg" / name, std::string("x\0\xff", 3));
    }
    add(work / "data" / part / "pos/._0.txt", "\xff");
    add(work / "data" / part / "pos/.ipynb_checkpoints/0-checkpoint.txt", "a");
  }
  const Outcome outcome = train_on(work / "data", work / "run", kTexts);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
  CHECK(holds(outcome.error, "16 training, 16 test texts"));
  CHECK(read_json(work / "run/config.json")["model"]["classes"] == 2);
}

TEST_CASE("variation selectors, soft hyphens and accents in either form make no new words") {
  const Workspace work;
  const std::string lines =
      "1,i \u2764\ufe0flove the caf\u00e9\n1,i lo\u00adve the cafe\u0301\n0,so sad "
      "\u2639\ufe0fso bad\n0,\u200dso ba\u2060d \u0301the\n";
  for (const char* part : {"train.csv", "test.csv"}) add(work / "data" / part, lines + lines);
  REQUIRE(train_on(work / "data", work / "run", kTexts).code == 0);
  std::string words = read_file(work / "run/text/vocabulary.txt");
  std::vector<std::string> sorted;
  for (std::size_t end = 0; (end = words.find('\n')) != std::string::npos; words.erase(0, end + 1))
    sorted.push_back(words.substr(0, end));
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == std::vector<std::string>{"bad", "caf\u00e9", "i", "love", "sad", "so", "the",
                                           "\u2639", "\u2764"});
}

TEST_CASE("a value out of range is refused with both ends of the range, in every command") {
  const auto refused = [](const std::string& program, const Words& words, const char* part) {
    const Outcome outcome = run(program, words + Words{"--dump-config"});
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(holds(outcome.error, part), outcome.error);
  };
  refused("asap-train", {"--set", "train.learning_rate=4e07"}, "above 0 and at most 10, got 4e7");
  refused("asap-train", {"--set", "train.adam_epsilon=2"}, "above 0 and at most 1, got 2");
  refused("asap-train", {"--set", "model.mlp_ratio=100"}, "above 0 and at most 64, got 100");
  refused("asap-compile", {"--set", "descent.learning_rate=100"}, "above 0 and at most 10");
  refused("asap-compile", {"--set", "ridge=1.5"}, "between 0 and 1, got 1.5");
  refused("relu-fit", {"fit", "--function", "x", "--set", "test=0.6"}, "between 0.05 and 0.5");
}

TEST_CASE("a field that decides a fixed one is not suggested to --allow") {
  const Workspace work;
  for (const char* part : {"train.csv", "test.csv"}) add(work / "data" / part, texts());
  REQUIRE(train_on(work / "data", work / "run", kTexts).code == 0);
  for (const char* change : {"data.text.max_tokens=2", "data.text.vocabulary_size=3"}) {
    const Outcome outcome =
        train_on(work / "data", work / "run", kTexts + Words{"--set", change, "--resume"});
    CHECK(outcome.code == 2);
    CHECK_FALSE(holds(outcome.error, "--allow"));
  }
}
