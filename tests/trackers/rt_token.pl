# Prints a new REST token of the user root.
use strict;
use warnings;
use RT -init;
my $root = RT::CurrentUser->new(RT->SystemUser);
$root->LoadByName('root');
my $token = RT::AuthToken->new($root);
my ($ok, $message, $text) = $token->Create(Owner => $root->id, Description => 'investigator test');
die "$message\n" unless $ok;
print "token=$text\n";
