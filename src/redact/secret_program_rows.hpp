// Which options and operands of single programs hold a secret: the table.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace retry_exec::redact {

// How an option or an operand holds its secret.
enum class Holds {
  all,
  no_word,
  no_address,
  no_package,
  no_switch,
  behind_colon,
  user_at_host,
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
  std::size_t nth = 0;  // of an operand: which one behind the command it is, or the first of them
  std::string_view valued = {};  // options whose next word is their value, and no operand
};

using enum Holds;
using enum Stands;

inline constexpr std::string_view of_nuget =
    " -source -src -s -apikey -k -symbolsource -ss -symbolapikey -sk -timeout -t -configfile "
    "-verbosity ";
inline constexpr std::string_view of_openssl_passwd =
    " -salt -in -rand -writerand -provider -provider-path -propquery ";

inline constexpr std::array rows = {
    // ---- options
    Row{" login ", "", "-p"},  // docker, oras, helm …; elsewhere -p is a port or a path
    Row{" sshpass twine mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat "
        "mongotop mongofiles conan poetry nuget ncftp ncftpput ncftpget ncftpls oras mycli cqlsh ",
        "", "-p"},
    Row{" cypher-shell couchbase-cli cbq cbbackupmgr rabbitmqadmin psexec psexec64 evil-winrm "
        "crackmapexec "
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
    Row{" curl ", "", "-x", either, user_at_host},
    Row{" curl ", "", "--preproxy", either, user_at_host},
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
    Row{" zip unzip zipcloak ", "", "-P"},
    Row{" sqlcmd bcp isql tsql osql p4 ipmitool ", "", "-P"},
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
    Row{" nuget ", "", "-k:", attached},
    Row{" nuget ", "", "-k=", attached},
    Row{" nuget ", "", "-sk", next},
    Row{" nuget ", "", "-sk:", attached},
    Row{" nuget ", "", "-sk=", attached},
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
    Row{" openssl ", "", "-secretkey", next},
    Row{" openssl ", "", "-otherpass", next},
    Row{" openssl ", "", "-tls_otherpass", next},
    Row{" openssl ", " ca ", "-key", next},
    Row{" doveadm ", " pw ", "-p", next},
    Row{" caddy ", " hash-password ", "--plaintext"},
    Row{" openssl ", "", "-macopt", next, behind_colon},
    Row{" openssl ", "", "-kdfopt", next, behind_colon},
    Row{" signtool schtasks tasklist taskkill systeminfo driverquery getmac openfiles eventcreate "
        "takeown gpresult waitfor typeperf ",
        "", "/p", next},
    Row{" schtasks ", "", "/rp", next},
    Row{" cmdkey ", "", "/pass", next},
    Row{" sc ", "", "password=", next},
    Row{" netdom ", "", "/pd:", attached},
    Row{" netdom ", "", "/po:", attached},
    Row{" winrs ", "", "-p:", attached},
    Row{" winrs ", "", "/p:", attached},
    Row{" xfreerdp wlfreerdp ", "", "/p:", attached},
    Row{" sqlpackage ", "", "/tp:", attached},
    Row{" db2 ", "", "using", next},
    Row{" iwconfig ", "", "key", next},
    Row{" consul serf nomad ", "", "-encrypt"},
    Row{" consul serf nomad ", " keyring ", "-install"},
    Row{" op bw ", "", "--session"},
    Row{" pkcs11-tool pkcs15-crypt softhsm2-util ", "", "--pin"},
    Row{" softhsm2-util ", "", "--so-pin"},
    Row{" mix rebar3 cypress BrowserStackLocal applitools gem choco ", "", "--key", either,
        no_word},
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
    Row{" nuget NUGET ", " push ", "", operand, no_package, 2, of_nuget},
    Row{" nuget NUGET ", " setapikey ", "", operand, no_package, 1, of_nuget},
    Row{" nuget NUGET ", " delete ", "", operand, no_package, 3, of_nuget},
    Row{" paket ", " add-token ", "", operand, no_address, 2},
    Row{" net NET ", " use ", "", operand, behind_share},
    Row{" net NET ", " user ", "", operand, no_switch, 2},
    Row{" bitsadmin ", " /setcredentials ", "", operand, no_switch, 5},
    Row{" smbclient ", "", "", operand, behind_share},
    Row{" rabbitmqctl ", " add_user change_password authenticate_user ", "", operand},
    Row{" isql ", "", "", operand, no_switch, 3},
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
    Row{" openssl ", " passwd ", "", operand, no_package, 1, of_openssl_passwd},
    Row{" ansible-vault ", " encrypt_string ", "", operand, no_switch, 1,
        " --vault-id --vault-password-file --vault-pass-file --encrypt-vault-id -n --name "
        "--stdin-name "},
    Row{" rclone ", " obscure ", "", operand},
    Row{" chamber ", " write ", "", operand},
    Row{" steamcmd ", " +login ", "", operand, no_switch, 2},
    Row{" etcdctl ", " add ", "", operand, behind_colon},
};

}  // namespace retry_exec::redact
