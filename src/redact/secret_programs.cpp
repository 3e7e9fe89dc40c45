// Which options and operands of single programs hold a secret.
#include "redact/secret_options.hpp"

#include <retry_exec/text.hpp>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace retry_exec::redact {

namespace {

// How an option or an operand holds its secret.
enum class Holds {
  all,
  no_word,
  no_address,
  no_package,
  behind_colon,
  behind_comma,
  behind_equals,
  behind_percent,
  behind_slash,
  behind_name,
  behind_share,
  cookie
};
// Where the value stands.
enum class Stands { next, attached, either, operand };

struct Row {
  std::string_view programs;  // between blanks; one of them is named
  std::string_view commands;  // and one of these, unless there are none
  std::string_view option;
  Stands stands = Stands::either;
  Holds holds = Holds::all;
};

using enum Holds;
using enum Stands;

constexpr std::array rows = {
    // ---- options
    Row{" login ", "", "-p"},  // docker, oras, helm …; elsewhere -p is a port or a path
    Row{" sshpass twine mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat "
        "mongotop mongofiles conan poetry nuget ncftp ncftpput ncftpget ncftpls oras mycli cqlsh ",
        "", "-p"},
    Row{" cypher-shell couchbase-cli cbq cbbackupmgr rabbitmqadmin psexec evil-winrm crackmapexec "
        "netexec racadm ilorest esxcli forticlient openfortivpn rdesktop yt-dlp youtube-dl "
        "gallery-dl hdbsql isql-fb steghide useradd usermod unar lsar mutool veracrypt supabase ",
        "", "-p", next},
    Row{" tpm2_createprimary pkcs11-tool certutil vsce ovsx choco beeline altool cm-push signurl "
        "unlock-keychain create-keychain dev-certs elasticsearch-users check_mysql add-user.sh ",
        "", "-p", next},
    Row{" uv cabal ", " publish upload ", "-p", next},
    // Whose -p alone asks for it.
    Row{" mysql mariadb mysqldump mysqladmin mysqlimport mysqlcheck mysqlshow mysqlpump mysqlsh "
        "mariadb-dump mariadb-admin mariadb-import mariadb-check xtrabackup 7z 7za 7zr 7zz rar "
        "unrar ",
        "", "-p", attached},
    Row{" curl ", "", "-b", either, cookie},
    Row{" curl ", "", "-u", either, behind_colon},
    Row{" curl ", "", "-U", either, behind_colon},
    Row{" curl ", "", "-E", next, behind_colon},
    Row{" curl ", "", "--cert", either, behind_colon},
    Row{" http https xh xhs ", " bearer ", "-a", next},
    Row{" http https xh xhs ab hey check_http ", "", "-a", next, behind_colon},
    Row{" ab ", "", "-A", next, behind_colon},
    Row{" ttyd gotty ", "", "-c", next, behind_colon},
    Row{" transmission-remote ", "", "-n", next, behind_colon},
    Row{" smbclient rpcclient smbget smbcacls winexe net ", "", "-U", either, behind_percent},
    Row{" smbclient rpcclient smbget smbcacls winexe net ", "", "--user", either, behind_percent},
    Row{" lftp open ", "", "-u", next, behind_comma},
    Row{" redis-cli valkey-cli keydb-cli redis-benchmark iredis ", "", "-a"},
    Row{" hatch ", " publish ", "-a", next},
    Row{" zip unzip zipcloak sqlcmd bcp isql tsql osql p4 ipmitool ", "", "-P"},
    Row{" mosquitto_pub mosquitto_sub knife yubico-piv-tool gpg-preset-passphrase ykman ", "", "-P",
        next},
    Row{" pdm security ", " publish import ", "-P", next},
    Row{" ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd ldapmodrdn ldapcompare ",
        "", "-w"},
    Row{" dsconf dsidm ipa-client-install kadmin odoo credhub add-generic-password "
        "add-internet-password ",
        "", "-w", next},
    Row{" slappasswd ldappasswd coscmd check_nt ", "", "-s", next},
    Row{" ldappasswd ", "", "-a", next},
    Row{" act earthly ", "", "-s", next, behind_equals},
    Row{" plink pscp psftp putty nodetool mqtt addprinc ", "", "-pw", next},
    Row{" rar ", "", "-hp", attached},
    Row{" nuget openssl mcrypt ossutil openai cloudsmith ", "", "-k", next},
    Row{" choco ", "", "-k"},
    Row{" set-key-partition-list sauce ", "", "-k", next},
    Row{" openssl swift ccrypt ccencrypt ccdecrypt pk12util ", "", "-K", next},
    Row{" pk12util ", "", "-W", next},
    Row{" ssh-keygen ", "", "-N"},
    Row{" ssh-keygen ", "", "-P", next},
    Row{" ykman ", "", "-n", next},
    Row{" secret ", "", "-b", next},  // gh secret set NAME -b X
    Row{" gh ", " secret ", "-b", attached},
    Row{" secret ", "", "--body"},
    Row{" doctl vercel codecov fly flyctl drone codecovcli codecov.sh codacy-coverage-reporter "
        "influx anaconda bws doppler slack-cli lokalise2 chromatic conventional-github-releaser ",
        "", "-t", next},
    Row{" k6 glab tea rancher uv cabal ", " login publish upload ", "-t", next},
    Row{" crowdin ", "", "-T", next},
    Row{" zerotier-cli ", "", "-T", attached},
    Row{" gitlab-runner ", " register ", "-r", next},
    Row{" cc-test-reporter ", "", "-r", next},
    Row{" travis ", " login ", "-g", next},
    Row{" snmpwalk snmpget snmpset snmpbulkwalk snmptrap ", "", "-c", next},
    Row{" snmpwalk snmpget snmpset snmpbulkwalk snmptrap ", "", "-A", next},
    Row{" snmpwalk snmpget snmpset snmpbulkwalk snmptrap ", "", "-X", next},
    Row{" sendemail ", "", "-xp", next},
    Row{" swaks ", "", "-ap", next},
    Row{" pdftotext pdfimages pdftoppm pdfinfo ", "", "-upw", next},
    Row{" pdftotext pdfimages pdftoppm pdfinfo ", "", "-opw", next},
    Row{" pdftk ", "", "input_pw", next},
    Row{" pdftk ", "", "owner_pw", next},
    Row{" pdftk ", "", "user_pw", next},
    Row{" vmrun ", "", "-gp", next},
    Row{" gbak ", "", "-pas", next},
    Row{" mvn ", "", "-emp", next},
    Row{" mvn ", "", "-ep", next},
    Row{" azuresigntool AzureSignTool ", "", "-kvs", next},
    Row{" azuresigntool AzureSignTool ", "", "-kva", next},
    Row{" openssl ", "", "-hmac", next},
    Row{" openssl ", "", "-macopt", next, behind_colon},
    Row{" openssl ", "", "-kdfopt", next, behind_colon},
    Row{" signtool signtool.exe ", "", "/p", next},
    Row{" cmdkey ", "", "/pass", next},
    Row{" xfreerdp wlfreerdp ", "", "/p:", attached},
    Row{" sqlpackage ", "", "/tp:", attached},
    Row{" db2 ", "", "using", next},
    Row{" iwconfig ", "", "key", next},
    Row{" consul serf nomad ", "", "-encrypt"},
    Row{" consul serf nomad ", " keyring ", "-install"},
    Row{" op bw ", "", "--session"},
    Row{" pkcs11-tool pkcs15-crypt softhsm2-util ", "", "--pin"},
    Row{" softhsm2-util ", "", "--so-pin"},
    Row{" mix rebar3 cypress BrowserStackLocal applitools gem ", "", "--key", either, no_word},
    Row{" snyk ", "", "--api"},
    Row{" az glab eas woodpecker woodpecker-cli llm gcloud ",
        " secret secrets secret:create env:create variable keys ", "--value"},
    Row{" woodpecker woodpecker-cli ", " secret ", "-value"},
    Row{" aws ", " put-parameter ", "--value"},
    Row{" drone ", " secret ", "--data"},
    Row{" wrangler ", " secret ", "--text"},
    // ---- operands
    Row{" cargo wandb wapm wasmer ", " login ", "", operand},
    Row{" vault ", " login auth unseal lookup revoke renew unwrap ", "", operand},
    Row{" vault ", " put patch ", "", operand, behind_equals},
    Row{" snyk ", " auth ", "", operand},
    Row{" snyk ", " config ", "", operand, behind_equals},
    Row{" htpasswd ", " -nb -b -bc -cb -nbB -Bnb -bB -bnB -cbB -bnBC ", "", operand},
    Row{" htdigest mosquitto_passwd ", " -b ", "", operand},
    Row{" mc mcli ", " alias host user ", "", operand, no_address},
    Row{" bundle bundler ", " config ", "", operand, behind_colon},
    Row{" poetry composer ", " config ", "", operand, no_word},
    Row{" sqlplus sqlldr expdp impdp imp exp sqlcl rman tnsping ", "", "", operand, behind_slash},
    Row{" sqlplus sqlldr expdp impdp ", "", "", operand, behind_name},
    Row{" nuget ", " push setapikey SetApiKey ", "", operand, no_package},
    Row{" net ", " use ", "", operand, behind_share},
    Row{" smbclient ", "", "", operand, behind_share},
    Row{" rabbitmqctl ", " add_user change_password authenticate_user ", "", operand},
    Row{" isql ", "", "", operand, no_word},
    Row{" b2 ", " authorize-account authorize_account authorize ", "", operand},
    Row{" heroku dokku ", " config:set config:add ", "", operand, behind_equals},
    Row{" fly flyctl supabase doppler infisical ", " secrets ", "", operand, behind_equals},
    Row{" firebase ", " functions:config:set ", "", operand, behind_equals},
    Row{" travis ", " encrypt ", "", operand, behind_equals},
    Row{" netlify ", " env:set ", "", operand, no_package},
    Row{" cf ", " auth create-user ", "", operand},
    Row{" grafana-cli grafana neo4j-admin ", " reset-admin-password set-initial-password ", "",
        operand},
    Row{" mysqladmin mariadb-admin ", " password ", "", operand},
    Row{" bw ", " login unlock ", "", operand, no_address},
    Row{" ngrok ", " authtoken add-authtoken ", "", operand},
    Row{" cloudflared ", " install ", "", operand, no_word},
    Row{" mkpasswd wpa_passphrase ", "", "", operand},
    Row{" openssl ", " passwd ", "", operand, no_package},
    Row{" rclone ", " obscure ", "", operand},
    Row{" chamber ", " write ", "", operand},
    Row{" steamcmd ", " +login ", "", operand, no_word},
    Row{" etcdctl ", " add ", "", operand, behind_colon},
};

constexpr std::string_view naming =
    " config configure CONFIG setenv ENV AUTH set nmcli set-env redis-cli ";
constexpr std::size_t naming_bit = 2 * rows.size();

using Bits = std::bitset<320>;
static_assert(naming_bit < Bits().size());

// Which bits a word sets.
using Index = std::unordered_map<std::string_view, Bits>;

Index index_of_rows() {
  Index index;
  const auto note = [&](std::string_view list, std::size_t bit) {
    text::for_each_part(list, ' ', [&](std::string_view word) {
      if (!word.empty()) index[word].set(bit);
    });
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    note(rows[i].programs, 2 * i);
    note(rows[i].commands, 2 * i + 1);
  }
  note(naming, naming_bit);
  return index;
}

// The rows that need no command.
Bits without_commands() {
  Bits bits;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].commands.empty()) bits.set(2 * i + 1);
  }
  return bits;
}

// The name of a program, also as the first of a list: argv=['docker'.
std::string_view name_of(std::string_view word) {
  return word.substr(word.find_last_of("/])}[({=`'\"") + 1);  // npos + 1 is 0
}

bool is_cookie_file(std::string_view value) {
  return value.find('=') == std::string_view::npos &&
         (is_a_file_name(value) || value.ends_with(".txt") || value.ends_with(".jar"));
}

// docker run --name mysql -p3306:3306
bool is_port(std::string_view value) {
  const std::string_view port = value.substr(0, value.find(':'));
  return !port.empty() && port.size() < value.size() &&
         port.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_a_package(std::string_view value) {
  return value.find("://") != std::string_view::npos || value.ends_with("nupkg") ||
         is_a_file_name(value);
}

// me/X of sqlplus without a database; not control=dir/file, @script, dir/file.sql.
std::size_t behind_user_name(std::string_view value) {
  const std::size_t slash = value.find('/');
  const bool named = value.find('=') == std::string_view::npos || value.starts_with("userid=");
  const bool alone = slash != 0 && slash == value.rfind('/') &&
                     value.find_first_of("@:\\") == std::string_view::npos &&
                     value.substr(0, slash).find('.') == std::string_view::npos;
  return named && alone && slash != std::string_view::npos ? slash + 1 : value.size();
}

std::size_t start_within(Holds holds, std::string_view value) {
  switch (holds) {
    case all:
      return 0;
    case no_word:
      return text::is_no_word(value) && !value.starts_with('+') ? 0 : value.size();
    case no_address:
      return value.find("://") == std::string_view::npos ? 0 : value.size();
    case no_package:
      return is_a_package(value) ? value.size() : 0;
    case behind_colon:
      return behind_user(value);
    case behind_comma:
      return behind(value, ',');
    case behind_equals:
      return behind(value, '=');
    case behind_percent:
      return behind(value, '%');
    case behind_slash:
      return value.find('@') < value.size() && value[0] != '@' ? behind(value, '/') : value.size();
    case behind_name:
      return behind_user_name(value);
    case behind_share:
      return 0;
    case cookie:
      return is_cookie_file(value) ? value.size() : 0;
  }
  return value.size();
}

// Whether a secret may stand behind `before`, as net use's and smbclient's does behind a share.
bool may_follow(Holds holds, std::string_view before) {
  if (holds == no_package) return !before.starts_with('-');
  if (holds != behind_share) return true;
  return before.find('\\') != std::string_view::npos || before.starts_with("//") ||
         text::upper_case(before).starts_with("/USER:");
}

// curl's -fsSLu
bool is_option(std::string_view word, std::string_view option) {
  if (word == option) return true;
  const auto letter = [](char c) {
    return (text::upper_case(c) >= 'A' && text::upper_case(c) <= 'Z');
  };
  return (option == "-u" || option == "-U") && word.size() > 2 && word.size() <= 8 &&
         word[0] == '-' && word.back() == option[1] &&
         std::all_of(word.begin() + 1, word.end(), letter);
}

}  // namespace

void Programs::see(std::string_view word) {
  static const Index index = index_of_rows();
  static const Bits always = without_commands();
  if (seen_.none()) seen_ = always;
  for (const std::string_view name : {word, name_of(word)}) {
    if (const auto found = index.find(name); found != index.end()) seen_ |= found->second;
  }
}

std::size_t Programs::start_in_next(std::string_view option, std::string_view value) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!is_seen(i) || (row.stands != next && row.stands != either) ||
        !is_option(option, row.option))
      continue;
    return start_within(row.holds, value);
  }
  return value.size();
}

std::size_t Programs::start_in(std::string_view word) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!is_seen(i) || (row.stands != attached && row.stands != either) ||
        word.size() <= row.option.size() || !word.starts_with(row.option)) {
      continue;
    }
    const bool sign = word[row.option.size()] == '=';
    if (row.option.starts_with("--") && !sign) continue;
    const std::size_t from = row.option.size() + (sign ? 1 : 0);
    const std::string_view value = word.substr(from);
    if (row.option == "-p" && is_port(value)) return word.size();
    return from + start_within(row.holds, value);
  }
  return word.size();
}

std::size_t Programs::start_in_operand(std::string_view before, std::string_view word, bool last,
                                       Words kind) const {
  const bool sure = last && kind == Words::command;
  if (word.starts_with('-') || (!sure && !text::is_no_word(word))) return word.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!is_seen(i) || row.stands != operand || !may_follow(row.holds, before)) continue;
    if (row.holds == all) return word.starts_with("token=") ? 6 : 0;
    const std::size_t start = start_within(row.holds, word);
    if (start < word.size()) return start;
  }
  return word.size();
}

bool Programs::takes_names() const {
  return seen_[naming_bit];
}

}  // namespace retry_exec::redact
