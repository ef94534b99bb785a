# Turns on the REST interface, makes the project named by $PROJECT with Markdown or Textile as set, and prints the
# administrator's key. Run by `rails runner`.
Redmine::DefaultData::Loader.load('en') if Redmine::DefaultData::Loader.no_data?
Setting.rest_api_enabled = '1'
admin = User.find_by(login: 'admin')
admin.update_columns(must_change_passwd: false)
identifier = ENV.fetch('PROJECT')
unless Project.find_by(identifier: identifier)
  project = Project.new(name: identifier, is_public: true)
  project.identifier = identifier
  project.trackers = Tracker.all
  project.enabled_module_names = %w[issue_tracking]
  project.save!
end
puts "token=#{admin.api_key}"
